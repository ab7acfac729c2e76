/** Bars of text. */

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** One for each part of a stacked bar; with more parts they come again. */
const PARTS = ["█", "▒", "▓"];
const REST = "░";
const NOTHING = "·";

/** A bar of `width` characters, filled by `share` (0 .. 1). */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const filled = "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return filled + REST.repeat(width - filled.length);
}

/** A bar of `width` characters in which the parts stand one behind the other; each is a share of the whole bar. */
export function stackedBar(shares: readonly number[], width: number): string {
  let text = "";
  let total = 0;
  for (const [part, share] of shares.entries()) {
    total += Math.max(0, share);
    const end = Math.min(width, Math.round(total * width));
    text += (PARTS[part % PARTS.length] as string).repeat(end - text.length);
  }
  return text.padEnd(width, NOTHING);
}
