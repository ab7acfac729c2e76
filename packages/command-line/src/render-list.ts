/** Flows, events, and results of trials, as text for a terminal. */

import type {
  DrillReport,
  FlowStatus,
  GatewayEvent,
  RoleChange,
  SpeedResult,
} from "@hawser/status-api/model";
import {
  clip,
  formatAge,
  formatBytes,
  formatDay,
  formatMs,
  formatRate,
  formatTime,
  printable,
} from "@hawser/status-api/model";

type Row = readonly string[];

/** The columns that the table of flows leaves out on a narrow terminal, in this order. */
const LEFT_OUT = ["KIND", "AGE", "UP", "FROM"];

/**
 * A table whose columns are as wide as their widest cell. Columns of `right` are aligned to the right. Where the table is
 * wider than `width`, columns of `leftOut` are left out, in that order.
 */
function renderTable(
  head: Row,
  rows: readonly Row[],
  right: readonly string[],
  { width = Number.POSITIVE_INFINITY, leftOut = [] as readonly string[] } = {},
): string {
  let columns = head.map((title, i) => {
    return { title, i, width: Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)) };
  });
  const isTooWide = (): boolean => columns.reduce((sum, column) => sum + column.width + 2, -2) > width;
  for (const title of leftOut) if (isTooWide()) columns = columns.filter((column) => column.title !== title);
  const line = (row: Row): string => {
    const cells = columns.map(({ title, i, width: own }) => {
      const cell = row[i] ?? "";
      return right.includes(title) ? cell.padStart(own) : cell.padEnd(own);
    });
    return clip(cells.join("  ").trimEnd(), width);
  };
  return `${[head, ...rows].map(line).join("\n")}\n`;
}

/** `search` is the text that was searched for; `width` is the terminal's, undefined without a terminal. */
export function renderFlows(
  flows: readonly FlowStatus[],
  search?: string,
  width = Number.POSITIVE_INFINITY,
): string {
  if (flows.length === 0)
    return search === undefined ? "no flow is open\n" : `no open flow matches ${JSON.stringify(search)}\n`;
  const rows = flows.map((flow) => [
    printable(flow.from),
    printable(flow.to),
    flow.kind,
    formatAge(flow.ageSeconds),
    formatBytes(flow.receivedBytes),
    formatBytes(flow.sentBytes),
    sharesOf(flow),
  ]);
  const head = ["FROM", "TO", "KIND", "AGE", "DOWN", "UP", "LINES"];
  return renderTable(head, rows, ["AGE", "DOWN", "UP"], { width, leftOut: LEFT_OUT });
}

function sharesOf({ paths, sentBytes, receivedBytes }: FlowStatus): string {
  const total = sentBytes + receivedBytes;
  if (total === 0) return "";
  const share = (bytes: number): number => Math.round((100 * bytes) / total);
  return paths
    .map((path) => `${printable(path.name)} ${share(path.sentBytes + path.receivedBytes)} %`)
    .join(", ");
}

/** One line of text, its time in local time. */
export function renderEvent({ time, level, type, peer, path, message }: GatewayEvent): string {
  const about = [peer, path].filter((name) => name !== undefined).map(printable);
  const subject = about.length > 0 ? ` ${about.join("/")}` : "";
  const mark = level === "warn" ? "!" : " ";
  return `${localTime(time)} ${mark} ${type.padEnd(16)}${subject}: ${printable(message)}\n`;
}

/** `2026-11-21 18:09:05` */
function localTime(time: string): string {
  const date = new Date(time);
  return `${formatDay(date)} ${formatTime(date)}`;
}

export function renderRoleChange({ name, role, roleInForce, roleReason }: RoleChange): string {
  const still = roleInForce === role ? "" : `, and ${roleInForce} for now: ${roleReason}`;
  return `${printable(name)}: ${role}${printable(still)}\n`;
}

export function renderDrill(report: DrillReport): string {
  const { path, seconds, flows, bytes, longestGapMs, upAfterMs, backAfterMs, reinjectedBytes } = report;
  const gap =
    longestGapMs === null
      ? "no flow was moving bytes all the time before: there is no gap to tell"
      : `longest gap of a flow that was moving bytes: ${formatMs(longestGapMs)} ms`;
  const up = upAfterMs === null ? "it has not come up again yet" : `up again after ${formatMs(upAfterMs)} ms`;
  const used = backAfterMs === null ? "" : `, carried bytes of flows after ${formatMs(backAfterMs)} ms`;
  return [
    `${printable(path)} was out for ${seconds.toFixed(1)} s: ${up}${used}`,
    `flows: ${flows.failed} lost of ${flows.open} that were open`,
    gap,
    `meanwhile: ${formatBytes(bytes.received)} down, ${formatBytes(bytes.sent)} up; ${formatBytes(reinjectedBytes)} sent again`,
    "",
  ].join("\n");
}

export function renderSpeeds(results: readonly SpeedResult[]): string {
  const rate = (bps: number | null): string => (bps === null ? "-" : formatRate(bps));
  const rows = results.map(({ name, downBps, upBps, latencyMs, downLatencyMs, upLatencyMs }) => [
    name === null ? "together" : printable(name),
    rate(downBps),
    rate(upBps),
    ...[latencyMs, downLatencyMs, upLatencyMs].map(formatMs),
  ]);
  const head = ["LINE", "DOWN", "UP", "IDLE ms", "WHILE DOWN", "WHILE UP"];
  const errors = results
    .filter(({ error }) => error !== null)
    .map(({ name, error }) => `${name === null ? "together" : printable(name)}: ${printable(error ?? "")}\n`);
  return renderTable(head, rows, head.slice(1)) + errors.join("");
}
