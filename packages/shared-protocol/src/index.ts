/**
 * The protocol between both gateways (SPEC.md): frames as values and as bytes, codes, keys, pairing lines, addresses as text.
 *
 * ```ts
 * const encoder = new FrameEncoder();
 * encoder.append({ type: "credit", stream: 4, limit: 131_072 });
 * encoder.appendData(4, 65_536, payload);
 * socket.write(Buffer.concat(encoder.take()));
 *
 * const error = new FrameDecoder().decode(bytes, { handleFrame, handleData });
 * ```
 */

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
export { canonicalIp, formatIp, parseIp } from "./text/ip-address.ts";
export { parseName } from "./text/name.ts";
export { type Parsed, parsed, problem } from "./text/parsed.ts";
export { CloseCode, codeName, StreamCode } from "./wire/codes.ts";
export { FrameDecoder, type FrameSink, type WireError } from "./wire/decoder.ts";
export { dataHeaderLength, FrameEncoder } from "./wire/encoder.ts";
export {
  CloseScope,
  DEFAULT_POLICY,
  EGRESS_VERSION,
  type EgressFamilies,
  type Endpoint,
  FLOW_KINDS,
  type FlowKind,
  type Frame,
  type FrameOf,
  type HelloFrame,
  INITIAL_CREDIT,
  MAX_PATH_NAME,
  MAX_PAYLOAD,
  MAX_SUBFLOWS,
  MAX_TIER,
  OLDEST_VERSION,
  PATH_ROLES,
  type PathPolicy,
  PathRole,
  PROTOCOL_VERSION,
  SESSION_ID_LENGTH,
} from "./wire/frames.ts";
export { MAX_VARINT } from "./wire/varint.ts";
