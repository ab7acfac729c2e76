/**
 * Asks a running gateway.
 *
 * ```ts
 * const report = statusReportSchema.parse(await new GatewayApi({ listen, token }).ask("/api/status"));
 * ```
 */

export {
  type About,
  FLOW_ORDERS,
  type FlowQuery,
  flowListSchema,
  type Problem,
  statusReportSchema,
} from "../schemas.ts";
export { dialConnect } from "./dial-connect.ts";
export { GatewayApi, unreachable } from "./gateway-api.ts";
