/** What `status --watch` draws on a terminal: rates over time, the lines, and the flows with the highest rates. */

import {
  type Direction,
  type FlowStatus,
  formatAge,
  formatCount,
  formatMs,
  formatRate,
  formatRest,
  homeBytes,
  homeRates,
  type PathStatus,
  printable,
  type StatusReport,
  sessionsOf,
} from "@hawser/status-api/model";
import { carriedText } from "./render-status.ts";
import { type Piece, type Style, sparkline, styledLine, type Theme } from "./text-style.ts";

/** How many past values of each rate are kept: more than a terminal has columns. */
const KEPT = 300;
const NAME_WIDTH = 12;
const RATE_WIDTH = 10;
const ROLE_WIDTH = 10;
/** Columns that the table of lines takes without its bars. */
const FIXED_WIDTH = NAME_WIDTH + 18 + ROLE_WIDTH + 2 * (RATE_WIDTH + 3);
const ENDPOINT_WIDTH = 25;
/** On terminals with fewer columns no roles are shown, and of a flow only its destination. */
const WIDE = 80;

const STATE_STYLES: Readonly<Record<string, Style>> = {
  up: "green",
  probation: "yellow",
  connecting: "yellow",
  degraded: "yellow",
  suspect: "yellow",
  down: "red",
  disabled: "dim",
};

interface FlowRate {
  readonly flow: FlowStatus;
  readonly downBps: number;
  readonly upBps: number;
}

/** Keeps the reports of the last minutes, one a second, and draws them. */
export class LiveView {
  #report: StatusReport | undefined;
  #flows: readonly FlowRate[] = [];
  #flowsAt = 0;
  /** Why the gateway did not answer the last request. */
  #trouble: string | undefined;
  readonly #rates = new Map<string, { down: number[]; up: number[] }>();

  /** Takes in a report. `now` is in milliseconds of a steady clock. */
  note(report: StatusReport, flows: readonly FlowStatus[], now: number): void {
    this.#trouble = undefined;
    this.#report = report;
    const before = new Map(this.#flows.map(({ flow }) => [flow.id, flow]));
    const seconds = (now - this.#flowsAt) / 1_000;
    const rate = (bytes: number, earlier: number | undefined): number =>
      earlier === undefined ? 0 : Math.max(0, ((bytes - earlier) * 8) / seconds);
    this.#flows = flows
      .map((flow) => ({
        flow,
        downBps: rate(flow.receivedBytes, before.get(flow.id)?.receivedBytes),
        upBps: rate(flow.sentBytes, before.get(flow.id)?.sentBytes),
      }))
      .sort((a, b) => b.downBps + b.upBps - a.downBps - a.upBps || total(b.flow) - total(a.flow));
    this.#flowsAt = now;
    for (const { peer, paths } of sessionsOf(report)) {
      for (const path of paths) {
        const { down, up } = homeRates(report.role, path);
        this.#noteRates(`${peer} ${path.name}`, down, up);
      }
    }
  }

  noteTrouble(why: string): void {
    this.#trouble = why;
  }

  #noteRates(key: string, down: number, up: number): void {
    let rates = this.#rates.get(key);
    if (!rates) this.#rates.set(key, (rates = { down: [], up: [] }));
    rates.down.push(down);
    rates.up.push(up);
    if (rates.down.length > KEPT) {
      rates.down.shift();
      rates.up.shift();
    }
  }

  /** The picture: at most `rows` lines of at most `columns` characters. */
  lines(columns: number, rows: number, theme: Theme): string[] {
    const fit = (pieces: readonly Piece[]): string => styledLine(pieces, columns, theme);
    const report = this.#report;
    const foot = fit([{ text: "q quits", style: "dim" }]);
    if (!report) return [fit([{ text: this.#trouble ?? "asking the gateway…" }]), "", foot];
    const head = [
      fit([
        { text: `hawser-${report.role} ${printable(report.version)}`, style: "bold" },
        { text: `, up ${formatAge(report.uptimeSeconds)}` },
        ...(this.#trouble === undefined ? [] : [{ text: `   ${this.#trouble}`, style: "red" as const }]),
      ]),
      ...sessionsOf(report).flatMap((session) => ["", ...this.#session(report, session, columns, theme)]),
    ];
    const room = rows - head.length - 4;
    const flows = room > 0 ? this.#flowTable(report, room, columns >= WIDE, fit) : [];
    return [...head, ...flows, "", foot].slice(0, rows);
  }

  #session(
    report: StatusReport,
    { peer, state, flows, bytes, paths }: ReturnType<typeof sessionsOf>[number],
    columns: number,
    theme: Theme,
  ): string[] {
    const fit = (pieces: readonly Piece[]): string => styledLine(pieces, columns, theme);
    const isWide = columns >= WIDE;
    const fixed = isWide ? FIXED_WIDTH : FIXED_WIDTH - ROLE_WIDTH;
    const bars = Math.max(0, Math.floor((columns - fixed) / 2));
    const rate = (direction: Direction): string =>
      formatRate(paths.reduce((all, path) => all + homeRates(report.role, path)[direction], 0));
    const carried = homeBytes(report.role, bytes.sent, bytes.received);
    return [
      fit([
        { text: printable(peer), style: "bold" },
        { text: ": " },
        { text: state, style: STATE_STYLES[state] },
        { text: `   down ${rate("down")}   up ${rate("up")}`, style: "bold" },
        { text: `   ${formatCount(flows.open, "flow")} open, ${flows.total} in all, ${flows.failed} failed` },
      ]),
      fit([
        {
          text: carriedText(carried, bytes.reinjected),
        },
      ]),
      fit([
        {
          text: [
            "LINE".padEnd(NAME_WIDTH),
            "STATE".padEnd(10),
            ...(isWide ? ["ROLE".padEnd(ROLE_WIDTH - 1)] : []),
            "RTT ms".padStart(6),
            "DOWN".padStart(RATE_WIDTH + 1),
            " ".repeat(bars),
            "UP".padStart(RATE_WIDTH + 1),
          ].join(" "),
          style: "dim",
        },
      ]),
      ...paths.map((path) => fit(this.#pathRow(report, peer, path, { isWide, bars, theme }))),
      ...paths
        .filter(({ lastError, state: is }) => lastError !== null && is !== "up" && is !== "disabled")
        .map(({ name, lastError }) =>
          fit([{ text: `${printable(name)}: ${printable(lastError ?? "")}`, style: "yellow" }]),
        ),
      ...paths.flatMap(({ name, restsUntil }) =>
        restsUntil
          ? fit([{ text: `${printable(name)} ${formatRest(restsUntil, Date.now())}`, style: "yellow" }])
          : [],
      ),
    ];
  }

  #pathRow(
    report: StatusReport,
    peer: string,
    path: PathStatus,
    { isWide, bars, theme }: { readonly isWide: boolean; readonly bars: number; readonly theme: Theme },
  ): Piece[] {
    const rates = this.#rates.get(`${peer} ${path.name}`);
    const name = printable(path.name);
    const { down, up } = homeRates(report.role, path);
    return [
      { text: `${name.slice(0, NAME_WIDTH).padEnd(NAME_WIDTH)} ` },
      { text: path.state.padEnd(11), style: STATE_STYLES[path.state] },
      { text: isWide ? path.role.padEnd(ROLE_WIDTH) : "" },
      { text: formatMs(path.rttMs).padStart(6) },
      { text: ` ${formatRate(down).padStart(RATE_WIDTH + 1)} ` },
      { text: sparkline(rates?.down ?? [], bars, theme), style: "cyan" },
      { text: ` ${formatRate(up).padStart(RATE_WIDTH + 1)} ` },
      { text: sparkline(rates?.up ?? [], bars, theme), style: "magenta" },
    ];
  }

  #flowTable(
    report: StatusReport,
    room: number,
    isWide: boolean,
    fit: (pieces: readonly Piece[]) => string,
  ): string[] {
    const endpoint = (text: string): string => {
      const shown = printable(text);
      const cut = shown.length > ENDPOINT_WIDTH ? `${shown.slice(0, ENDPOINT_WIDTH - 1)}…` : shown;
      return cut.padEnd(ENDPOINT_WIDTH);
    };
    const open = sessionsOf(report).reduce((sum, { flows }) => sum + flows.open, 0);
    const head = [
      ...(isWide ? ["FROM".padEnd(ENDPOINT_WIDTH)] : []),
      "TO".padEnd(ENDPOINT_WIDTH),
      "DOWN".padStart(RATE_WIDTH + 1),
      "UP".padStart(RATE_WIDTH + 1),
      "AGE",
    ].join(" ");
    const rows = this.#flows
      .slice(0, room)
      .map(({ flow, downBps, upBps }) =>
        fit([
          { text: isWide ? `${endpoint(flow.from)} ` : "" },
          { text: `${endpoint(flow.to)} ` },
          { text: `${formatRate(downBps).padStart(RATE_WIDTH + 1)} `, style: downBps > 0 ? "cyan" : "dim" },
          { text: `${formatRate(upBps).padStart(RATE_WIDTH + 1)} `, style: upBps > 0 ? "magenta" : "dim" },
          { text: formatAge(flow.ageSeconds) },
        ]),
      );
    const more = open > rows.length ? ` (${rows.length} of ${open})` : "";
    return ["", fit([{ text: `${head}${more}`, style: "dim" }]), ...rows];
  }
}

function total({ sentBytes, receivedBytes }: FlowStatus): number {
  return sentBytes + receivedBytes;
}
