/** The request (RFC 1928 section 4). */

import { parseAddress, type SocksAddress } from "./address.ts";
import { SOCKS_VERSION, SocksCommand, SocksReply } from "./constants.ts";
import { hexByte, type SocksError, SocksErrorCode, socksError } from "./errors.ts";
import { done, failed, MORE, type Parsed } from "./parsed.ts";

export interface RawRequest {
  /** Any byte; `checkRequest` says whether it is one that is served. */
  readonly command: number;
  readonly address: SocksAddress;
}

/**
 * RSV should be zero, but nothing depends on it, so it is not looked at.
 * ```
 * VER(1) = 5 | CMD(1) | RSV(1) | ATYP(1) ADDR(...) PORT(2)
 * ```
 */
export function parseRequest(bytes: Uint8Array): Parsed<RawRequest> {
  const [version, command] = bytes;
  if (version === undefined) return MORE;
  if (version !== SOCKS_VERSION) {
    const message = `request: version ${hexByte(version)} instead of 0x05`;
    return failed(socksError(SocksErrorCode.requestMalformed, message));
  }
  if (command === undefined || bytes.length < 4) return MORE;
  const address = parseAddress(bytes.subarray(3));
  if (address.state !== "done") return address;
  return done({ command, address: address.value }, 3 + address.length);
}

/** What is wrong with a well-formed request, or undefined when it can be served. */
export function checkRequest(request: RawRequest): SocksError | undefined {
  if (request.command !== SocksCommand.connect) {
    const name = commandNames.get(request.command) ?? `command ${hexByte(request.command)}`;
    return socksError(SocksErrorCode.commandUnsupported, `${name} is not supported; only CONNECT is`);
  }
  if (request.address.port === 0) return socksError(SocksErrorCode.portInvalid, "CONNECT to port 0");
  return undefined;
}

const commandNames = new Map<number, string>([
  [SocksCommand.bind, "BIND"],
  [SocksCommand.udpAssociate, "UDP ASSOCIATE"],
]);

/** The REP with which a bad request is answered before closing. */
export function replyForBadRequest(error: SocksError): SocksReply {
  if (error.code === SocksErrorCode.commandUnsupported) return SocksReply.commandNotSupported;
  if (error.code === SocksErrorCode.addressTypeUnsupported) return SocksReply.addressTypeNotSupported;
  return SocksReply.generalFailure;
}
