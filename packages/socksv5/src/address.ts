/** The ATYP, ADDR, PORT triple shared by requests and replies (RFC 1928 section 5). */

import { SocksAddressType } from "./constants.ts";
import { hexByte, SocksErrorCode, socksError } from "./errors.ts";
import { formatIpv4, formatIpv6, mappedIpv4, parseIpv4, parseIpv6 } from "./ip-text.ts";
import { decodeUtf8, done, failed, MORE, type Parsed } from "./parsed.ts";

export interface SocksAddress {
  readonly type: "ipv4" | "ipv6" | "domain";
  /** Dotted decimal, RFC 5952 text without brackets, or the name as the client sent it. */
  readonly host: string;
  readonly port: number;
}

/**
 * ```
 * ATYP(1) | 4 bytes            | PORT(2)   ATYP = 1, IPv4
 * ATYP(1) | LEN(1) LEN bytes   | PORT(2)   ATYP = 3, domain
 * ATYP(1) | 16 bytes           | PORT(2)   ATYP = 4, IPv6
 * ```
 */
export function parseAddress(bytes: Uint8Array): Parsed<SocksAddress> {
  const type = bytes[0];
  switch (type) {
    case undefined:
      return MORE;
    case SocksAddressType.ipv4:
      return withPort(bytes, 1, 4, (raw) => ({ type: "ipv4", host: formatIpv4(raw) }));
    case SocksAddressType.ipv6:
      return withPort(bytes, 1, 16, ipv6Host);
    case SocksAddressType.domain: {
      const length = bytes[1];
      if (length === undefined) return MORE;
      if (length === 0) return failed(socksError(SocksErrorCode.domainInvalid, "the domain name is empty"));
      return withPort(bytes, 2, length, readDomain);
    }
    default:
      return failed(
        socksError(
          SocksErrorCode.addressTypeUnsupported,
          `address type ${hexByte(type)} is none of IPv4 (0x01), domain (0x03), IPv6 (0x04)`,
        ),
      );
  }
}

type Host = Pick<SocksAddress, "type" | "host">;

function withPort(
  bytes: Uint8Array,
  start: number,
  size: number,
  read: (raw: Uint8Array) => Host | undefined,
): Parsed<SocksAddress> {
  const end = start + size;
  const high = bytes[end];
  const low = bytes[end + 1];
  if (high === undefined || low === undefined) return MORE;
  const host = read(bytes.subarray(start, end));
  if (!host) {
    return failed(
      socksError(
        SocksErrorCode.domainInvalid,
        "the domain name is not UTF-8, or holds a space or a control character",
      ),
    );
  }
  return done({ ...host, port: (high << 8) | low }, end + 2);
}

/**
 * A name that is an IP literal is reported as that address: rules about addresses must not be
 * walked around by sending `127.0.0.1` as a name. Some clients leave a URL's brackets around it.
 */
function readDomain(raw: Uint8Array): Host | undefined {
  const text = decodeUtf8(raw);
  if (text === undefined || /[\p{Cc}\p{Z}]/u.test(text)) return undefined;
  return ipHost(/^\[(.*)\]$/s.exec(text)?.[1] ?? text) ?? { type: "domain", host: text };
}

function ipHost(text: string): Host | undefined {
  const v4 = parseIpv4(text);
  if (v4) return { type: "ipv4", host: formatIpv4(v4) };
  // A zone names one of this machine's interfaces, which is not for a client to choose.
  const v6 = text.includes("%") ? undefined : parseIpv6(text);
  return v6 && ipv6Host(v6);
}

/** An IPv4-mapped address means the IPv4 one, which can be dialled where there is no IPv6. */
function ipv6Host(bytes: Uint8Array): Host {
  const v4 = mappedIpv4(bytes);
  return v4 ? { type: "ipv4", host: formatIpv4(v4) } : { type: "ipv6", host: formatIpv6(bytes) };
}

/**
 * The bytes of an address, or undefined when the host fits no address type or the port no 16 bits. An IPv4 address that
 * a dual-stack socket shows as `::ffff:192.0.2.1` is written as IPv4.
 */
export function encodeAddress(host: string, port: number): Uint8Array | undefined {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) return undefined;
  const ports = [port >> 8, port & 0xff];
  const v6 = parseIpv6(host);
  const v4 = v6 ? mappedIpv4(v6) : parseIpv4(host);
  if (v4) return Uint8Array.of(SocksAddressType.ipv4, ...v4, ...ports);
  if (v6) return Uint8Array.of(SocksAddressType.ipv6, ...v6, ...ports);
  const name = new TextEncoder().encode(host);
  if (name.length === 0 || name.length > 255) return undefined;
  return Uint8Array.of(SocksAddressType.domain, name.length, ...name, ...ports);
}
