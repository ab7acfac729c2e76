/**
 * Messages of netlink sockets (`struct nlmsghdr` of linux/netlink.h, netlink(7)), in the machine's byte order:
 *
 * ```
 *  0        4      6       8          12     16       length
 * | length | type | flags | sequence | port | body ... | padding to 4 |
 * ```
 */

import { aligned, readU16, readU32, writeU16, writeU32 } from "./netlink-attributes.ts";

export const NETLINK_HEADER_BYTES = 16;

/** Types below 16 are the same in all protocols. */
export const NetlinkType = { error: 2, done: 3 } as const;

export const NetlinkFlag = {
  request: 1,
  /** More of the same answer follows. */
  multi: 2,
  ack: 4,
  /** The table changed while it was listed. */
  dumpInterrupted: 0x10,
  /** NLM_F_ROOT and NLM_F_MATCH: list them all. */
  dump: 0x300,
  /** Of requests that make something: fail when it is there, make it when it is not. */
  exclusive: 0x200,
  create: 0x400,
} as const;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** A message without a port: the kernel knows whose it is. */
export function encodeMessage({ type, flags, sequence, body }: NetlinkMessage): Buffer {
  const length = NETLINK_HEADER_BYTES + body.length;
  const bytes = Buffer.alloc(aligned(length));
  writeU32(bytes, length, 0);
  writeU16(bytes, type, 4);
  writeU16(bytes, flags, 6);
  writeU32(bytes, sequence, 8);
  bytes.set(body, NETLINK_HEADER_BYTES);
  return bytes;
}

/** The messages of one datagram. Their bodies are parts of it; what is cut off or garbled is left out. */
export function decodeMessages(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (at + NETLINK_HEADER_BYTES <= bytes.length) {
    const length = readU32(bytes, at);
    if (length < NETLINK_HEADER_BYTES || at + length > bytes.length) break;
    messages.push({
      type: readU16(bytes, at + 4),
      flags: readU16(bytes, at + 6),
      sequence: readU32(bytes, at + 8),
      body: bytes.subarray(at + NETLINK_HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** What an error message (or the end of a listing) says: a positive errno, or 0 for "done as asked". */
export function errnoOf({ body }: NetlinkMessage): number {
  return body.length < 4 ? 0 : Math.abs(readU32(body, 0) | 0);
}
