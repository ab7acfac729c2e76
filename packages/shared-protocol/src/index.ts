export { deriveConnectToken, derivePsk, pskIdentity } from "./identity/derive.ts";
export { formatIdentity, generateSecret, parseIdentity, parseSecretText } from "./identity/identity.ts";
export { formatPairing, type Pairing, parsePairing } from "./identity/pairing.ts";
export { Secret } from "./identity/secret.ts";
export {
  formatEndpoint,
  isLoopbackHost,
  isWildcardHost,
  parseEndpoint,
  parseHost,
  parseListenEndpoint,
} from "./text/endpoint.ts";
export { canonicalIp, formatIp, formatIpv4, formatIpv6, parseIp } from "./text/ip-address.ts";
export { parseName } from "./text/name.ts";
export { type Parsed, parsed, problem } from "./text/parsed.ts";
export { CloseCode, codeName, StreamCode } from "./wire/codes.ts";
export { FrameDecoder, type FrameSink, type WireError } from "./wire/decoder.ts";
export { dataHeaderLength, FrameEncoder } from "./wire/encoder.ts";
export {
  type AckFrame,
  type AllowanceFrame,
  type ArrivedFrame,
  type CloseFrame,
  CloseScope,
  type CreditFrame,
  DEFAULT_POLICY,
  EGRESS_VERSION,
  type EgressFamilies,
  type EgressFrame,
  type Endpoint,
  type FinFrame,
  FLOW_KINDS,
  type FlowKind,
  type Frame,
  type GoneFrame,
  type HelloFrame,
  INITIAL_CREDIT,
  MAX_PATH_NAME,
  MAX_PAYLOAD,
  MAX_SUBFLOWS,
  MAX_TIER,
  OLDEST_VERSION,
  type OpenedFrame,
  type OpenFrame,
  PATH_ROLES,
  type PathFrame,
  type PathPolicy,
  PathRole,
  PROTOCOL_VERSION,
  type ResetFrame,
  SESSION_ID_LENGTH,
} from "./wire/frames.ts";
export { MAX_VARINT } from "./wire/varint.ts";
