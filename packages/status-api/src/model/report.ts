/** Questions about a report, for pages and commands. */

import type { PathStatus, SessionStatus, StatusReport } from "../schemas/status.ts";

/** The sessions of a report; a local gateway has one. */
export function sessionsOf(report: StatusReport): readonly SessionStatus[] {
  return report.role === "local" ? [report.session] : report.sessions;
}

/** Whether bytes can go over the path now. */
export function carries({ state }: Pick<PathStatus, "state">): boolean {
  return state === "up" || state === "probation";
}

/** Whether nobody pays for what goes over a path, by its status or its configuration. */
export function isFree({ metered, quota }: Pick<PathStatus, "metered"> & { quota?: unknown }): boolean {
  return !metered && !quota;
}
