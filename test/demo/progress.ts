/** What a download looks like while it runs: pure text. */

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const BAR_WIDTH = 24;
const TITLE_WIDTH = 26;

/** A bar of `width` characters, filled by `share` (0 .. 1). */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const filled = "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return filled + "░".repeat(width - filled.length);
}

/** Always as wide, up to 9999 Mbit/s. */
export function formatRate(bps: number): string {
  return `${(bps / 1e6).toFixed(2).padStart(7)} Mbit/s`;
}

export interface StepView {
  readonly title: string;
  readonly bps: number;
  /** How much of it is done, 0 .. 1; none: without a bar. */
  readonly share?: number;
  readonly note?: string;
}

/** One line, no longer than `columns`. */
export function stepLine({ title, bps, share, note = "" }: StepView, columns = Infinity): string {
  const middle = share === undefined ? "" : `${bar(share, BAR_WIDTH)} `;
  const text = `  ${title.padEnd(TITLE_WIDTH)}${middle}${formatRate(bps)}  ${note}`.trimEnd();
  return text.length > columns ? text.slice(0, columns) : text;
}

/** The rate of the last second, from how many bytes had come at which times. */
export class RecentRate {
  readonly #windowMs: number;
  readonly #samples: { ms: number; bytes: number }[] = [{ ms: 0, bytes: 0 }];

  constructor(windowMs = 1000) {
    this.#windowMs = windowMs;
  }

  /** Bit/s over the window that ends now. */
  add(ms: number, bytes: number): number {
    const samples = this.#samples;
    samples.push({ ms, bytes });
    // The first one that stays is the last that is not younger than the window.
    while (samples.length > 2 && ms - (samples[1]?.ms ?? ms) >= this.#windowMs) samples.shift();
    const first = samples[0] ?? { ms, bytes };
    return ms > first.ms ? ((bytes - first.bytes) * 8000) / (ms - first.ms) : 0;
  }
}
