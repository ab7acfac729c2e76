import type { Health } from "./schemas.ts";
import { carries, type StatusReport, sessionsOf } from "./types.ts";

/** Healthy is a gateway that carries new connections now: at least one path is up. The reason is for people. */
export function healthOf(report: StatusReport, isStopping = false): Health {
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  const up = paths.filter(carries).length;
  const counts = { pathsUp: up, paths: paths.length };
  if (isStopping)
    return { status: "down", reason: "the gateway is stopping and takes no new connections", ...counts };
  if (up > 0) return { status: "up", reason: `${up} of ${paths.length} paths are up`, ...counts };
  const reason = paths.length === 0 ? nobodyThere(report) : whyAllDown(report);
  return { status: "down", reason, ...counts };
}

function nobodyThere(report: StatusReport): string {
  return report.role === "local" ? "no path is configured" : "no local gateway is connected";
}

function whyAllDown(report: StatusReport): string {
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  const each = paths.slice(0, 8).map(({ name, state, lastError }) => {
    return lastError === null ? `${name} ${state}` : `${name} ${state} (${lastError})`;
  });
  return `no path is up: ${each.join(", ")}`;
}
