/**
 * What both gateways are made of: flows, the driver of a session, limits, logs, listeners, a service's life.
 *
 * ```ts
 * const driver = new SessionDriver({ name: "home", side: "local", memory, onClosed });
 * driver.addSubflow(socket, { id: 0, path: "adsl1", role: "active" }, rest);
 * const stream = driver.open(request);
 * if (stream !== undefined) driver.adopt(stream, new Flow(driver, stream, request, application));
 * ```
 */

export { everySecond } from "./every-second.ts";
export {
  adoptApplication,
  type BytesHandler,
  type DialOptions,
  dialApplication,
  prepareApplication,
} from "./flows/application-socket.ts";
export { Flow, type FlowEvents } from "./flows/flow.ts";
export { FlowSet } from "./flows/flow-set.ts";
export { serveUntilSignalled } from "./lifecycle.ts";
export { Admission, sourceOf, withinDescriptors } from "./limits/admission.ts";
export { AttemptLimit } from "./limits/attempt-limit.ts";
export { descriptorLimit, descriptorsShort, flowDescriptors } from "./limits/descriptors.ts";
export { Heaviest } from "./limits/heaviest.ts";
export { LimitedLog } from "./limits/limited-log.ts";
export { type RefusalCount, Refusals } from "./limits/refusals.ts";
export { turnAway } from "./limits/turn-away.ts";
export { Listener, listen, listenAll, whyNotListening } from "./listen.ts";
export { childLogger, createLogger, keptLog, type Logger, type LogLine, prettyLogLine } from "./log.ts";
export { type Numbered, Recent } from "./recent.ts";
export { type LineBytes, type PathObserver, PathRecord } from "./session/path-record.ts";
export type { PathState } from "./session/path-state.ts";
export { SessionDriver, type SubflowChange } from "./session/session-driver.ts";
export { type StreamHandler } from "./session/stream-handlers.ts";
export { MAX_SPEEDTEST_MS, MAX_SPEEDTEST_REQUEST } from "./speedtest/limits.ts";
export {
  encodeSpeedtestRequest,
  parseSpeedtestRequest,
  SPEEDTEST_HOST,
  SpeedtestVerb,
  speedtestVerb,
} from "./speedtest/request.ts";
export { writeZeros } from "./speedtest/zeros.ts";
