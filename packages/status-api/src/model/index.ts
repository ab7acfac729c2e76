/**
 * What the status API says, and how its figures are written for people. Runs in browsers, too: it imports nothing that does not.
 *
 * ```ts
 * for (const { name, state, receiveRateBps } of sessionsOf(report)[0]?.paths ?? [])
 *   console.log(name, state, formatRate(receiveRateBps));
 * ```
 */

export { type EventType, type GatewayEvent } from "./event.ts";
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
export { type History } from "./history-columns.ts";
export { type Direction, homeBytes, homeRates, rateKey } from "./home-view.ts";
export { type ServerEvent, serverEvents } from "./server-events.ts";
export {
  type CaptureState,
  type CaptureStatus,
  carries,
  type DrillProgress,
  type DrillReport,
  type FlowRoom,
  type FlowStatus,
  type GreedySource,
  isFree,
  type LocalStatusReport,
  type PathStatus,
  QUOTA_COUNTS,
  QUOTA_ENDS,
  type QuotaStatus,
  type RemoteStatusReport,
  type RoleChange,
  type RulesStatus,
  type SessionState,
  type SessionStatus,
  type SpeedProgress,
  type SpeedResult,
  type SpeedtestOptions,
  type StatusReport,
  sessionsOf,
} from "./types.ts";
