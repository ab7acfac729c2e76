/**
 * Asks a running gateway.
 *
 * ```ts
 * const report = statusReportSchema.parse(await new GatewayApi({ listen, token }).ask("/api/status"));
 * ```
 */

export { type About, type Problem } from "../schemas/about.ts";
export { FLOW_ORDERS, type FlowQuery, flowListSchema } from "../schemas/flows.ts";
export { statusReportSchema } from "../schemas/status.ts";
export { dialConnect } from "./dial-connect.ts";
export { GatewayApi, unreachable } from "./gateway-api.ts";
