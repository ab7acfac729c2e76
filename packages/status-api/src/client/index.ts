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
