/**
 * What the status API says, and how its figures are written for people. Runs in browsers, too: it imports nothing that does not.
 *
 * ```ts
 * for (const { name, state, receiveRateBps } of sessionsOf(report)[0]?.paths ?? [])
 *   console.log(name, state, formatRate(receiveRateBps));
 * ```
 */

export type { EventType, GatewayEvent, History } from "../schemas/events.ts";
export type { FlowStatus } from "../schemas/flows.ts";
export type {
  CaptureState,
  CaptureStatus,
  FlowRoom,
  GreedySource,
  LocalStatusReport,
  PathStatus,
  QuotaStatus,
  RemoteStatusReport,
  RoleChange,
  RulesStatus,
  SessionState,
  SessionStatus,
  StatusReport,
} from "../schemas/status.ts";
export type {
  DrillProgress,
  DrillReport,
  SpeedProgress,
  SpeedResult,
  SpeedtestOptions,
} from "../schemas/trials.ts";
export {
  clip,
  formatAge,
  formatBytes,
  formatCount,
  formatDay,
  formatMs,
  formatRate,
  formatRest,
  formatTime,
  printable,
} from "./format.ts";
export { greedyText } from "./greedy-source.ts";
export { type Direction, homeBytes, homeRates, rateKey } from "./home-view.ts";
export { carries, isFree, sessionsOf } from "./report.ts";
export { type ServerEvent, serverEvents } from "./server-events.ts";
export { QUOTA_COUNTS, QUOTA_ENDS } from "./values.ts";
