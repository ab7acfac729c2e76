/** Clients that were pointed at the wrong kind of port: what they speak, and an answer that they understand. */

import { hexByte, type SocksError, SocksErrorCode, socksError } from "./errors.ts";

/** What the first byte says of a client that does not begin with version 5. */
export function wrongVersion(byte: number): SocksError {
  if (byte === 0x04)
    return socksError(
      SocksErrorCode.socks4,
      "the client speaks SOCKS4; set it to SOCKS5 (socks5:// or socks5h://)",
    );
  if (byte >= 0x41 && byte <= 0x5a) {
    const letter = String.fromCharCode(byte);
    return socksError(
      SocksErrorCode.http,
      `the client sent '${letter}', which looks like HTTP; set it to a SOCKS5 proxy, not an HTTP one`,
    );
  }
  if (byte === 0x16)
    return socksError(SocksErrorCode.tls, "the client speaks TLS; this port takes plain SOCKS5");
  return socksError(SocksErrorCode.version, `the first byte is ${hexByte(byte)}, not SOCKS version 0x05`);
}

/** "Request rejected or failed", of the SOCKS4 memo: `VN(1) = 0 | CD(1) = 91 | DSTPORT(2) | DSTIP(4)`. */
const SOCKS4_REJECTED = Uint8Array.of(0, 0x5b, 0, 0, 0, 0, 0, 0);

const HTTP_TEXT = "This is a SOCKS5 port, not an HTTP proxy. Set the client to SOCKS5 (socks5h://).\n";
const HTTP_BAD_REQUEST = new TextEncoder().encode(
  `HTTP/1.1 400 This is a SOCKS5 port\r\nContent-Type: text/plain\r\nContent-Length: ${HTTP_TEXT.length}\r\nConnection: close\r\n\r\n${HTTP_TEXT}`,
);

/** In the client's own protocol; undefined where nothing is to be said. */
export function answerInOtherProtocol({ code }: SocksError): Uint8Array | undefined {
  if (code === SocksErrorCode.socks4) return SOCKS4_REJECTED;
  return code === SocksErrorCode.http ? HTTP_BAD_REQUEST : undefined;
}
