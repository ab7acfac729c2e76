/** A recording as a picture: the lines' rates stacked, the goodput over them, and what was done when. */
import { type RateUnit, rateUnit, ticks } from "./axis.ts";
import type { Mark, Recording } from "./recording.ts";
import { goodput, type Point, stack } from "./series.ts";

export interface Caption {
  readonly title: string;
  /** For those who do not see the picture: what it shows. What was done when is added. */
  readonly description: string;
  /** What the transfers are, for the legend. */
  readonly goodput: string;
}

const WIDTH = 860;
const LEFT = 60;
const RIGHT = WIDTH - 18;
const PLOT_HEIGHT = 250;
const BELOW = 50;
const TITLE_Y = 26;
const LEGEND_Y = 50;
/** The marks' texts begin here, one row under the other. */
const MARKS_Y = 76;
const ROW_HEIGHT = 17;
/** Of a letter of the marks and the legend, at most about that: there is no font to measure. */
const LETTER = 6.3;
const X_TICKS = 10;
const Y_TICKS = 5;

/** Okabe and Ito's colours, which nearly everybody can tell apart; after six lines they come again. */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

const STYLE = `
svg{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.paper{fill:#fff}text{fill:#1f2328}.title{font-size:16px;font-weight:600}.axis{fill:#59636e}
.grid{stroke:#d1d9e0;fill:none}.mark{stroke:#59636e;stroke-dasharray:4 3}
.goodput{stroke:#1f2328;stroke-width:1.8;stroke-linejoin:round;fill:none}
.area{fill-opacity:.75}.what{paint-order:stroke;stroke:#fff;stroke-width:5px}
@media(prefers-color-scheme:dark){
.paper{fill:#0d1117}text{fill:#f0f6fc}.axis{fill:#9198a1}.grid{stroke:#3d444d}.mark{stroke:#9198a1}
.goodput{stroke:#f0f6fc}.area{fill-opacity:.85}.what{stroke:#0d1117}}
`;

/** Where a time and a rate are in the picture. */
interface Scale {
  readonly x: (ms: number) => number;
  readonly y: (bps: number) => number;
}

/** An SVG document of its own: no fonts or files from elsewhere, readable on light and dark pages. */
export function renderPlot(recording: Recording, caption: Caption): string {
  const areas = stack(recording);
  const curves = recording.transfers.map(goodput);
  const endMs = recording.samples.at(-1)?.ms ?? 0;
  const highest = Math.max(1, ...[...areas, ...curves].flat().map(({ bps }) => bps));
  const unit = rateUnit(highest);
  const rates = ticks(highest / unit.size, Y_TICKS);
  const rows = placeMarks(recording.marks, (ms) => across(ms, endMs));
  const top = MARKS_Y + ROW_HEIGHT * (Math.max(-1, ...rows.map(({ row }) => row)) + 1) - 8;
  const bottom = top + PLOT_HEIGHT;
  const topBps = (rates.at(-1) ?? 1) * unit.size;
  const scale: Scale = {
    x: (ms) => across(ms, endMs),
    y: (bps) => bottom - (Math.max(0, bps) / topBps) * PLOT_HEIGHT,
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + BELOW}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escape(caption.title)}</title>`,
    `<desc id="d">${escape(describe(recording, caption))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${bottom + BELOW}"/>`,
    `<text class="title" x="${LEFT}" y="${TITLE_Y}">${escape(caption.title)}</text>`,
    ...legend(recording.lines, caption.goodput),
    ...rateAxis(rates, unit, scale),
    ...areas.map((area, line) => areaPath(area, areas[line - 1], colourOf(line), scale)),
    ...curves.map((points) => `<path class="goodput" d="${pathOf(points, scale)}"/>`),
    ...timeAxis(endMs, scale, bottom),
    // The texts after all the lines, for one may cross the line of another.
    ...rows.map(({ x, row }) => `<path class="mark" d="M${round(x)} ${rowY(row) - 11}V${bottom}"/>`),
    ...rows.map(markText),
    "</svg>\n",
  ].join("\n");
}

function across(ms: number, endMs: number): number {
  return endMs === 0 ? LEFT : LEFT + (ms / endMs) * (RIGHT - LEFT);
}

function describe({ marks }: Recording, { description }: Caption): string {
  const done = marks.map(({ ms, text }) => `at ${(ms / 1000).toFixed(1)} s: ${text}`);
  return [description, ...done].join("; ");
}

function legend(lines: readonly string[], title: string): string[] {
  let x = LEFT;
  const place = (sample: (x: number) => string, text: string): string => {
    const entry = `${sample(x)}<text x="${x + 20}" y="${LEGEND_Y}">${escape(text)}</text>`;
    x = Math.round(x + 44 + text.length * LETTER);
    return entry;
  };
  const patch =
    (line: number) =>
    (at: number): string =>
      `<rect class="area" fill="${colourOf(line)}" x="${at}" y="${LEGEND_Y - 10}" width="14" height="11"/>`;
  const stroke = (at: number): string => `<path class="goodput" d="M${at} ${LEGEND_Y - 4}h14"/>`;
  return [...lines.map((name, line) => place(patch(line), `carried by ${name}`)), place(stroke, title)];
}

function colourOf(line: number): string {
  return COLOURS[line % COLOURS.length] as string;
}

function rateAxis(rates: readonly number[], { name, size }: RateUnit, { y }: Scale): string[] {
  return [
    `<path class="grid" d="${rates.map((rate) => `M${LEFT} ${round(y(rate * size))}H${RIGHT}`).join("")}"/>`,
    ...rates.map(
      (rate) =>
        `<text class="axis" text-anchor="end" x="${LEFT - 8}" y="${round(y(rate * size) + 4)}">${rate}</text>`,
    ),
    `<text class="axis" text-anchor="middle" transform="translate(18 ${round(y(0) - PLOT_HEIGHT / 2)})rotate(-90)">${name}</text>`,
  ];
}

function timeAxis(endMs: number, { x }: Scale, bottom: number): string[] {
  const seconds = ticks(endMs / 1000, X_TICKS).filter((second) => second * 1000 <= endMs);
  return [
    `<path class="grid" d="${seconds.map((second) => `M${round(x(second * 1000))} ${bottom}v5`).join("")}"/>`,
    ...seconds.map(
      (second) =>
        `<text class="axis" text-anchor="middle" x="${round(x(second * 1000))}" y="${bottom + 18}">${second}</text>`,
    ),
    `<text class="axis" text-anchor="middle" x="${(LEFT + RIGHT) / 2}" y="${bottom + 38}">seconds</text>`,
  ];
}

/** From the top edge back along the one below it, or along the axis. */
function areaPath(
  edge: readonly Point[],
  under: readonly Point[] | undefined,
  colour: string,
  scale: Scale,
): string {
  if (edge.length === 0) return "";
  const floor = under ?? edge.map(({ ms }) => ({ ms, bps: 0 }));
  const back = pathOf(floor.toReversed(), scale).replace("M", "L");
  return `<path class="area" fill="${colour}" d="${pathOf(edge, scale)}${back}Z"/>`;
}

function pathOf(points: readonly Point[], { x, y }: Scale): string {
  return points.map(({ ms, bps }, n) => `${n === 0 ? "M" : "L"}${round(x(ms))} ${round(y(bps))}`).join("");
}

interface PlacedMark extends Mark {
  readonly x: number;
  /** Which row its text is in, from 0. */
  readonly row: number;
  /** Whether the text is to the left of the line, for lack of room on its right. */
  readonly isLeft: boolean;
}

/** Each text into the first row in which it covers no other. */
function placeMarks(marks: readonly Mark[], x: (ms: number) => number): PlacedMark[] {
  const taken: { from: number; to: number }[][] = [];
  return marks.map((mark) => {
    const at = x(mark.ms);
    const width = mark.text.length * LETTER + 8;
    const isLeft = at + width > WIDTH;
    const [from, to] = isLeft ? [at - width, at] : [at, at + width];
    const free = taken.findIndex((others) => others.every((other) => to <= other.from || from >= other.to));
    const row = free < 0 ? taken.length : free;
    (taken[row] ??= []).push({ from, to });
    return { ...mark, x: at, row, isLeft };
  });
}

function rowY(row: number): number {
  return MARKS_Y + row * ROW_HEIGHT;
}

function markText({ x, row, isLeft, text }: PlacedMark): string {
  const side = isLeft ? `text-anchor="end" x="${round(x - 5)}"` : `x="${round(x + 5)}"`;
  return `<text class="what" ${side} y="${rowY(row)}">${escape(text)}</text>`;
}

/** A tenth of a pixel is finer than anybody sees. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
