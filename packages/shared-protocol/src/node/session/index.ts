export {
  adoptApplication,
  type BytesHandler,
  type DialOptions,
  dialApplication,
  prepareApplication,
} from "./application-socket.ts";
export { Flow, type FlowEvents } from "./flow.ts";
export { FlowSet } from "./flow-set.ts";
export {
  awaitHello,
  commonVersion,
  JOIN_DEADLINE_MS,
  JoinError,
  joinSession,
  refuse,
  type Welcome,
  welcome,
} from "./handshake.ts";
export { type LineBytes, type PathObserver, PathRecord } from "./path-record.ts";
export { flowStatus, sessionStatus } from "./report.ts";
export {
  SessionDriver,
  type SessionDriverOptions,
  type StreamHandler,
  type SubflowChange,
} from "./session-driver.ts";
export { limitUnsent } from "./subflow-connection.ts";
