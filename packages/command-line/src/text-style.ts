import { styleText } from "node:util";
import { clip } from "@hawser/status-api/model";

export type Style = Parameters<typeof styleText>[0] | undefined;

/** A piece of a line of text. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
}

export interface Theme {
  readonly colours: boolean;
  /** The characters of bars, from empty to full. */
  readonly levels: string;
}

const BLOCKS = " ▁▂▃▄▅▆▇█";
const ASCII = " .:-=+*#@";

/** Colours and characters that the terminal can show, by its environment (https://no-color.org; locale(7)). */
export function themeOf(env: NodeJS.ProcessEnv, isTTY: boolean): Theme {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isPlain = Boolean(env["NO_COLOR"]) || env["TERM"] === "dumb";
  return { colours: isTTY && !isPlain, levels: /utf-?8/i.test(locale) ? BLOCKS : ASCII };
}

/** The pieces as one line of at most `columns` characters. */
export function styledLine(pieces: readonly Piece[], columns: number, { colours }: Theme): string {
  let left = columns;
  let line = "";
  for (const { text, style } of pieces) {
    if (left <= 0) break;
    const shown = clip(text, left);
    left -= shown.length;
    line += colours && style ? styleText(style, shown, { validateStream: false }) : shown;
  }
  return line;
}

/**
 * One character for each of the last `width` values, the latest at the right. The highest value has the full character.
 */
export function sparkline(values: readonly number[], width: number, { levels }: Theme): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 1);
  const full = levels.length - 1;
  const bars = shown.map((value) => levels[value <= 0 ? 0 : Math.max(1, Math.round((value / most) * full))]);
  return bars.join("").padStart(width);
}

/** A bar of `width` characters, filled to `share` (0..1). */
export function progressBar(share: number, width: number, { levels }: Theme): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  const [empty, full] = levels === ASCII ? [".", "#"] : ["░", "█"];
  return full.repeat(filled) + empty.repeat(width - filled);
}
