import { type DemoLine, LINES } from "./stage.ts";

/** Who is where, as the drawing says it. Two lines of text each for the client and the origin. */
export interface Places {
  readonly client: readonly [string, string];
  readonly router: string;
  /** The router's address on each line, in the order of LINES. */
  readonly ends: readonly string[];
  readonly remote: string;
  readonly origin: readonly [string, string];
}

const SIDE = 13;
const BOX = 14;
const WIRE = 18;

/** The house, in 80 columns. */
export function drawPlaces({ client, router, ends, remote, origin }: Places): string {
  const row = (left: string, near: string, wire: string, far: string, right = ""): string =>
    ` ${left.padEnd(SIDE)}${near}${wire.padEnd(WIRE)}${far}${right}`.trimEnd();
  const box = (text: string, left = "│", right = "│"): string => left + centre(text, BOX) + right;
  const [first, second] = LINES;
  const wire = "─".repeat(WIRE);
  return [
    row(" LAN client", ` ${centre("router", BOX)} `, "", ` ${centre("remote", BOX)} `, "  origin"),
    row("", `┌${"─".repeat(BOX)}┐`, header(first, ends[0]), `┌${"─".repeat(BOX)}┐`),
    row("", box(router, "│", "├"), wire, box(remote, "┤")),
    row(client[0].padEnd(SIDE, "─"), box("", "┤"), figures(first), box("", "│", "├"), `─${origin[0]}`),
    row(client[1], box(""), header(second, ends[1]), box(""), ` ${origin[1]}`),
    row("", box("hawser-local", "│", "├"), wire, box("hawser-remote", "┤")),
    row("", `└${"─".repeat(BOX)}┘`, figures(second), `└${"─".repeat(BOX)}┘`),
  ].join("\n");
}

function header({ name }: DemoLine, end = ""): string {
  return ` ${name} ${end}`;
}

/** Down/up in Mbit/s, and the delay. */
function figures({ down, up, delayMs }: DemoLine): string {
  return ` ${(down / 1e6).toFixed(2)}/${(up / 1e6).toFixed(1)}M ${delayMs} ms`;
}

function centre(text: string, width: number): string {
  const room = Math.max(0, width - text.length);
  return " ".repeat(Math.floor(room / 2)) + text + " ".repeat(Math.ceil(room / 2));
}
