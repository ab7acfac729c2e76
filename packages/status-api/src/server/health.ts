import { greedyText } from "../model/greedy-source.ts";
import { carries, sessionsOf } from "../model/report.ts";
import type { Health } from "../schemas/about.ts";
import type { FlowRoom, StatusReport } from "../schemas/status.ts";

/**
 * Whether the gateway carries new connections now: its redirect rules are in place, the connections that they redirect
 * arrive, at least one path is up, and there is room for flows. The reason is for people.
 */
export function healthOf(report: StatusReport, isStopping = false): Health {
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  const up = paths.filter(carries).length;
  const counts = { pathsUp: up, paths: paths.length };
  if (isStopping)
    return { status: "down", reason: "the gateway is stopping and takes no new connections", ...counts };
  const blocked = blockedFamilies(report);
  if (blocked !== "")
    return {
      status: "down",
      reason: `the LAN's ${blocked} connections are redirected and do not arrive: a firewall drops them`,
      ...counts,
    };
  const trouble = report.role === "local" ? report.rules?.trouble : undefined;
  if (trouble) return { status: "down", reason: trouble, ...counts };
  if (up > 0 && report.role === "local" && report.flowRoom?.isFull)
    return { status: "down", reason: whyFull(report.flowRoom), ...counts };
  if (up > 0) return { status: "up", reason: `${up} of ${paths.length} lines are up`, ...counts };
  const reason = paths.length === 0 ? nobodyThere(report) : whyAllDown(report);
  return { status: "down", reason, ...counts };
}

/** The address families whose redirected connections do not arrive: `IPv4 and IPv6`. */
function blockedFamilies(report: StatusReport): string {
  const capture = report.role === "local" ? (report.capture ?? []) : [];
  const names = { ipv4: "IPv4", ipv6: "IPv6" };
  return capture.flatMap(({ family, state }) => (state === "blocked" ? names[family] : [])).join(" and ");
}

function nobodyThere(report: StatusReport): string {
  return report.role === "local" ? "no line is configured" : "no local gateway is connected";
}

function whyFull(room: FlowRoom): string {
  const all = `new flows are refused: ${room.open} are open, and there is room for no more`;
  return room.greedy ? `${all}; ${greedyText(room, room.greedy)}` : all;
}

function whyAllDown(report: StatusReport): string {
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  const each = paths.slice(0, 8).map(({ name, state, lastError }) => {
    return lastError === null ? `${name} ${state}` : `${name} ${state} (${lastError})`;
  });
  return `no line is up: ${each.join(", ")}`;
}
