/**
 * The status server of a gateway.
 *
 * ```ts
 * const events = new EventLog();
 * const server = await createStatusServer({ events, status, flows }, { listen, logger, pages });
 * events.add("path-up", "adsl1 is up", { path: "adsl1" });
 * ```
 */

export { acceptConnect, type OnConnect, refuseConnect } from "./server/connect.ts";
export { EventLog } from "./server/event-log.ts";
export { FlowFailures } from "./server/flow-failures.ts";
export { type Asset, fileAsset, type Page, type Pages, pagePolicy } from "./server/pages.ts";
export { PathEvents } from "./server/path-events.ts";
export { pathStatus } from "./server/path-status.ts";
export { noSuchPath, RequestError } from "./server/problems.ts";
export { createStatusServer, type StatusServer, type StatusServerOptions } from "./server/server.ts";
export { flowStatus, sessionStatus } from "./server/session-status.ts";
export { type StatusSource } from "./server/source.ts";
