export {
  acceptConnect,
  type ConnectOptions,
  dialConnect,
  type OnConnect,
  refuseConnect,
} from "./connect.ts";
export { healthOf } from "./health.ts";
export { type Health, statusReportSchema } from "./schemas.ts";
export { createStatusServer, type StatusServer, type StatusServerOptions } from "./server.ts";
export { loadStatus, type StatusConfig, statusField, statusSecretAt } from "./status-config.ts";
export * from "./types.ts";
