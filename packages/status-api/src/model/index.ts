export type { EventType, GatewayEvent, History } from "../schemas/events.ts";
export type { FlowStatus } from "../schemas/flows.ts";
export type {
  CaptureState,
  CaptureStatus,
  FlowRoom,
  GreedySource,
  LocalStatusReport,
  PathState,
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
