/** What each line carried while something ran, and what was done to the lines: what a plot is drawn from. */
import type { TransferResult } from "../../lab/traffic/tasks.ts";

/** What each line had carried by then, in the order of the lines: bytes of IP. */
export interface LineSample {
  readonly ms: number;
  readonly bytes: readonly number[];
}

/** A transfer as its receiver saw it: when it began, and its bytes in steps of TIMELINE_STEP_MS. */
export interface Transfer {
  readonly fromMs: number;
  readonly timeline: readonly number[];
}

/** Something that was done at that time. */
export interface Mark {
  readonly ms: number;
  readonly text: string;
}

/** Times are ms since the recording began. */
export interface Recording {
  readonly lines: readonly string[];
  readonly samples: readonly LineSample[];
  readonly transfers: readonly Transfer[];
  readonly marks: readonly Mark[];
}

const SAMPLE_MS = 200;

/** Looks at the lines' counters in even steps until it is stopped. */
export class Recorder {
  // The wall clock: programs in other processes say on it when their transfers began.
  readonly #startedAt = Date.now();
  readonly #lines: readonly string[];
  readonly #samples: LineSample[] = [];
  readonly #transfers: Transfer[] = [];
  readonly #marks: Mark[] = [];
  readonly #look: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param carried what each line has carried so far, bytes */
  private constructor(lines: readonly string[], carried: () => Promise<readonly number[]>) {
    this.#lines = lines;
    this.#look = async () => {
      const bytes = await carried();
      this.#samples.push({ ms: this.nowMs, bytes });
    };
  }

  /** The counters as they are now are the first sample. */
  static async start(
    lines: readonly string[],
    carried: () => Promise<readonly number[]>,
    everyMs = SAMPLE_MS,
  ): Promise<Recorder> {
    const recorder = new Recorder(lines, carried);
    await recorder.#look();
    // A look that fails is left out: the rate is then that of a longer step.
    recorder.#timer = setInterval(() => void recorder.#look().catch(() => {}), everyMs).unref();
    return recorder;
  }

  get nowMs(): number {
    return Date.now() - this.#startedAt;
  }

  /** What each line carried of late, bit/s: from the sample `overMs` before the latest one. */
  rates(overMs: number): number[] {
    const last = this.#samples.at(-1);
    const first = this.#samples.findLast(({ ms }) => last !== undefined && last.ms - ms >= overMs);
    const from = first ?? this.#samples[0];
    return this.#lines.map((_, line) => rateBetween(from, last, line));
  }

  mark(text: string, ms = this.nowMs): void {
    this.#marks.push({ ms, text });
  }

  add({ startedAt, timeline }: Pick<TransferResult, "startedAt" | "timeline">): void {
    this.#transfers.push({ fromMs: startedAt - this.#startedAt, timeline });
  }

  /** Looks once more, and no more after that. */
  async stop(): Promise<Recording> {
    clearInterval(this.#timer);
    await this.#look().catch(() => {});
    const marks = this.#marks.toSorted((a, b) => a.ms - b.ms);
    return { lines: this.#lines, samples: this.#samples, transfers: this.#transfers, marks };
  }
}

/** Bit/s of one line between two samples. */
export function rateBetween(from: LineSample | undefined, to: LineSample | undefined, line: number): number {
  if (from === undefined || to === undefined || to.ms <= from.ms) return 0;
  return (((to.bytes[line] ?? 0) - (from.bytes[line] ?? 0)) * 8000) / (to.ms - from.ms);
}
