import {
  clip,
  type Direction,
  formatAge,
  formatBytes,
  formatCount,
  formatDay,
  formatMs,
  formatRate,
  formatRest,
  greedyText,
  homeBytes,
  homeRates,
  type PathStatus,
  printable,
  type SessionStatus,
  type StatusReport,
  sessionsOf,
} from "@hawser/status-api/model";

/** The width without a terminal, columns. */
const WIDTH = 80;
/** The columns that the table leaves out on a narrow terminal, in this order. */
const LEFT_OUT = ["SUB", "ROLE", "SHARE", "RTT ms"];
/** The longest name of a line that is shown in full: the other columns leave so much room. */
const NAME_WIDTH = 16;
const MIN_NAME_WIDTH = 4;

interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** The widest cell that there can be, columns. So the columns keep their places under --watch. */
  readonly width: number;
  readonly cell: (path: PathStatus, more: Computed) => string;
}

/**
 * What a row says besides the path's status: download and upload rates as the home sees them, and the share of all
 * bytes.
 */
interface Computed extends Readonly<Record<Direction, number>> {
  readonly share: string;
}

const COLUMNS: readonly Column[] = [
  { title: "LINE", align: "left", width: NAME_WIDTH, cell: ({ name }) => printable(name) },
  { title: "STATE", align: "left", width: 10, cell: ({ state }) => state },
  { title: "ROLE", align: "left", width: 8, cell: ({ role }) => role },
  { title: "SUB", align: "right", width: 3, cell: ({ subflows }) => String(subflows) },
  { title: "RTT ms", align: "right", width: 6, cell: ({ rttMs }) => formatMs(rttMs) },
  { title: "DOWN", align: "right", width: 10, cell: (_, { down }) => formatRate(down) },
  { title: "UP", align: "right", width: 10, cell: (_, { up }) => formatRate(up) },
  { title: "SHARE", align: "right", width: 5, cell: (_, { share }) => share },
];

/**
 * The report as lines of at most `width` columns; the last one ends in a line break, too. The age of errors is up to
 * `now`.
 */
export function renderStatus(report: StatusReport, now = new Date(), width = WIDTH): string {
  const { role, version, uptimeSeconds } = report;
  const lines = [`hawser-${role} ${printable(version)}, up ${formatAge(uptimeSeconds)}`];
  lines.push(...renderCapture(report));
  if (report.role === "local" && report.rules?.trouble) lines.push(printable(report.rules.trouble));
  const sessions = sessionsOf(report);
  if (report.role === "local" && report.flowRoom?.greedy)
    lines.push(printable(greedyText(report.flowRoom, report.flowRoom.greedy)));
  if (sessions.length === 0) lines.push("", "no local gateway is connected");
  for (const session of sessions) lines.push("", ...renderSession(role, session, now, columnsIn(width)));
  return `${lines.map((line) => clip(line.trimEnd(), width)).join("\n")}\n`;
}

/** A firewall that drops redirected connections: it cuts the LAN off although the lines are up. */
function renderCapture(report: StatusReport): string[] {
  const capture = report.role === "local" ? (report.capture ?? []) : [];
  const names = { ipv4: "IPv4", ipv6: "IPv6" };
  return capture
    .filter(({ state }) => state === "blocked")
    .map(({ family }) => `a firewall drops the LAN's ${names[family]} connections: hawser-local doctor`);
}

/** As many columns as fit. Where the narrowest table is still too wide, names are cut. */
function columnsIn(width: number): readonly Column[] {
  let columns = COLUMNS;
  const excess = (): number => columns.reduce((sum, column) => sum + column.width + 1, -1) - width;
  for (const title of LEFT_OUT)
    if (excess() > 0) columns = columns.filter((column) => column.title !== title);
  const nameWidth = Math.max(MIN_NAME_WIDTH, NAME_WIDTH - Math.max(0, excess()));
  return columns.map((column) => (column.title === "LINE" ? { ...column, width: nameWidth } : column));
}

function renderSession(
  gateway: StatusReport["role"],
  { peer, state, flows, bytes, egress, paths }: SessionStatus,
  now: Date,
  columns: readonly Column[],
): string[] {
  const total = paths.reduce((sum, path) => sum + carried(path), 0);
  const shareOf = (path: PathStatus): string =>
    total === 0 ? "-" : `${Math.round((100 * carried(path)) / total)} %`;
  return [
    `${clip(printable(peer), 32)}: ${state}, ${formatCount(flows.open, "flow")} open, ${flows.total} in all, ${flows.failed} failed`,
    carriedText(homeBytes(gateway, bytes.sent, bytes.received), bytes.reinjected),
    ...renderEgress(egress),
    row(columns, ({ title }) => title),
    ...paths.map((path) =>
      row(columns, ({ cell }) => cell(path, { ...homeRates(gateway, path), share: shareOf(path) })),
    ),
    ...paths.flatMap((path) => [...renderTrouble(path, now), ...renderRest(path, now), ...renderQuota(path)]),
  ];
}

/** Bytes since the gateway's start: `down 8.4 GB, up 1.2 GB, sent again 3.1 MB`. */
export function carriedText({ down, up }: Readonly<Record<Direction, number>>, again: number): string {
  return `down ${formatBytes(down)}, up ${formatBytes(up)}, sent again ${formatBytes(again)}`;
}

/** A line of text only when an address family has no way out. */
function renderEgress(egress: SessionStatus["egress"]): string[] {
  const missing = egress ? [...(egress.ipv4 ? [] : ["IPv4"]), ...(egress.ipv6 ? [] : ["IPv6"])] : [];
  return missing.map((family) => `the remote gateway has no way out by ${family}`);
}

/** The last error of a path that is not up. The last error of a path that is up is not shown: it is over. */
function renderTrouble({ name, state, lastError, since }: PathStatus, now: Date): string[] {
  if (lastError === null || state === "up" || state === "disabled") return [];
  const seconds = (now.getTime() - Date.parse(since)) / 1000;
  const age = Number.isFinite(seconds) ? ` for ${formatAge(seconds)}` : "";
  return [`${clip(printable(name), NAME_WIDTH)} ${state}${age}: ${printable(lastError)}`];
}

function renderRest({ name, restsUntil }: PathStatus, now: Date): string[] {
  return restsUntil ? [`${clip(printable(name), NAME_WIDTH)} ${formatRest(restsUntil, now.getTime())}`] : [];
}

function renderQuota({ name, quota, role, roleInForce = role }: PathStatus): string[] {
  if (!quota) return [];
  const used = `${formatBytes(quota.usedBytes)} of ${formatBytes(quota.limitBytes)} used`;
  const effect = roleInForce !== role ? `, ${roleInForce} for that reason` : "";
  return [
    `${clip(printable(name), NAME_WIDTH)} quota: ${used}${effect}; anew ${formatDay(new Date(quota.resetsAt))}`,
  ];
}

function row(columns: readonly Column[], textOf: (column: Column) => string): string {
  const cells = columns.map((column) => {
    const cell = clip(textOf(column), column.width);
    return column.align === "left" ? cell.padEnd(column.width) : cell.padStart(column.width);
  });
  return cells.join(" ");
}

function carried({ sentBytes, receivedBytes }: PathStatus): number {
  return sentBytes + receivedBytes;
}
