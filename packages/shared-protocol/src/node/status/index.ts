export {
  acceptConnect,
  type ConnectOptions,
  dialConnect,
  type OnConnect,
  refuseConnect,
} from "./connect.ts";
export { EventLog, type EventType, type GatewayEvent } from "./event-log.ts";
export { findStatus } from "./find-status.ts";
export { FlowFailures } from "./flow-failures.ts";
export { greedyText } from "./greedy-source.ts";
export { healthOf } from "./health.ts";
export { PathEvents } from "./path-events.ts";
export { noSuchPath, RequestError } from "./problems.ts";
export { type Health, statusReportSchema } from "./schemas.ts";
export { createStatusServer, type StatusServer, type StatusServerOptions } from "./server.ts";
export { loadStatus, type StatusConfig, statusField, statusSecretAt } from "./status-config.ts";
export * from "./types.ts";
