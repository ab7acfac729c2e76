/** Numbers fixed by RFC 1928 and RFC 1929, and the limits that follow from them. */

/** VER of every RFC 1928 message (section 3). */
export const SOCKS_VERSION = 0x05;

/** VER of the username/password sub-negotiation (RFC 1929 section 2); it is not the SOCKS version. */
export const PASSWORD_VERSION = 0x01;

/** METHOD values (RFC 1928 section 3). */
export const SocksMethod = {
  noAuthentication: 0x00,
  password: 0x02,
  noneAcceptable: 0xff,
} as const;
export type SocksMethod = (typeof SocksMethod)[keyof typeof SocksMethod];

/** CMD values (RFC 1928 section 4). */
export const SocksCommand = {
  connect: 0x01,
  bind: 0x02,
  udpAssociate: 0x03,
} as const;
export type SocksCommand = (typeof SocksCommand)[keyof typeof SocksCommand];

/** ATYP values (RFC 1928 section 5). */
export const SocksAddressType = {
  ipv4: 0x01,
  domain: 0x03,
  ipv6: 0x04,
} as const;
export type SocksAddressType = (typeof SocksAddressType)[keyof typeof SocksAddressType];

/** REP values (RFC 1928 section 6). */
export const SocksReply = {
  succeeded: 0x00,
  generalFailure: 0x01,
  notAllowed: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  connectionRefused: 0x05,
  ttlExpired: 0x06,
  commandNotSupported: 0x07,
  addressTypeNotSupported: 0x08,
} as const;
export type SocksReply = (typeof SocksReply)[keyof typeof SocksReply];

/** STATUS values (RFC 1929 section 2): zero is success, anything else is failure. */
export const PasswordStatus = {
  success: 0x00,
  failure: 0x01,
} as const;
export type PasswordStatus = (typeof PasswordStatus)[keyof typeof PasswordStatus];

/**
 * The most bytes an unfinished handshake ever keeps. The longest message is the password request,
 * 1 + 1 + 255 + 1 + 255 = 513 bytes; with its last byte it is consumed, so 512 can be waiting.
 */
export const MAX_BUFFERED_BYTES = 512;
