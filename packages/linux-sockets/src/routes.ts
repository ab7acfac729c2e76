/** The main routing table, read by rtnetlink(7). */

import type { NetlinkSocket } from "./netlink.ts";
import { aligned, readAttributes, readU16, readU32 } from "./netlink-attributes.ts";
import { NetlinkFlag, type NetlinkMessage } from "./netlink-message.ts";
import { SystemError } from "./system-error.ts";

/** A route of the main table (ip-route(8)). */
export interface Route {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly address: Buffer;
  readonly prefix: number;
  /** The indices of the interfaces that it may leave by; none where the route says that there is no way. */
  readonly devices: readonly number[];
  /** The kernel's own, for the network of an interface's address. */
  readonly isConnected: boolean;
}

/** linux/rtnetlink.h */
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_KERNEL = 2;
const RTN_UNICAST = 1;
/** Blackhole, unreachable, prohibit. */
const RTN_NO_WAY: ReadonlySet<number> = new Set([6, 7, 8]);
/** The copy of a route for one destination. */
const RTM_F_CLONED = 0x200;
const RTNEXTHOP_BYTES = 8;
const AF: Readonly<Record<4 | 6, number>> = { 4: 2, 6: 10 };

/** Reads of a table that changes meanwhile. */
const ATTEMPTS = 3;

/**
 * All routes of the family, without the machine's own addresses. `onRoute` is for tables of any length; one that changes
 * while it is read begins anew: `onRestart`.
 * @throws SystemError
 */
export async function readRoutes(
  socket: NetlinkSocket,
  family: 4 | 6,
  onRoute: (route: Route) => void,
  onRestart: () => void,
): Promise<void> {
  const asked = Buffer.alloc(RTMSG_BYTES);
  asked[0] = AF[family];
  asked[4] = RT_TABLE_MAIN;
  for (let attempt = 1; ; attempt++) {
    onRestart();
    try {
      await socket.request(RTM_GETROUTE, NetlinkFlag.dump, asked, (reply) => {
        const route = parseRoute(reply);
        if (route?.family === family) onRoute(route);
      });
      return;
    } catch (error) {
      if (isWithoutTable(error)) return;
      const isChanged = error instanceof SystemError && error.code === "EINTR";
      if (!isChanged || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A family that the kernel lacks, or a table that nothing was ever put into. */
function isWithoutTable(error: unknown): boolean {
  const codes = ["ENOENT", "EAFNOSUPPORT", "EOPNOTSUPP", "ENOTSUP"];
  return error instanceof SystemError && codes.includes(error.code);
}

/**
 * ```
 *  struct rtmsg
 *  0        1         2         3     4       5          6       7      8       12
 * | family | dst_len | src_len | tos | table | protocol | scope | type | flags | attributes ... |
 * ```
 */
export function parseRoute({ type, body }: Pick<NetlinkMessage, "type" | "body">): Route | undefined {
  if (type !== RTM_NEWROUTE || body.length < RTMSG_BYTES) return undefined;
  const [af = 0, prefix = 0, sourcePrefix = 0, , shortTable = 0, protocol = 0, , kind = 0] = body;
  const family = af === AF[4] ? 4 : af === AF[6] ? 6 : undefined;
  if (family === undefined || sourcePrefix !== 0 || (readU32(body, 8) & RTM_F_CLONED) !== 0) return undefined;
  const attributes = readAttributes(body, RTMSG_BYTES);
  const table = attributes.get(RTA_TABLE);
  if ((table ? readU32(table, 0) : shortTable) !== RT_TABLE_MAIN) return undefined;
  const isNoWay = RTN_NO_WAY.has(kind);
  if (kind !== RTN_UNICAST && !isNoWay) return undefined;
  const address = Buffer.alloc(family === 4 ? 4 : 16);
  address.set((attributes.get(RTA_DST) ?? Buffer.alloc(0)).subarray(0, address.length));
  const devices = isNoWay ? [] : devicesOf(attributes);
  return { family, address, prefix, devices, isConnected: protocol === RTPROT_KERNEL };
}

function devicesOf(attributes: ReadonlyMap<number, Buffer>): number[] {
  const device = attributes.get(RTA_OIF);
  const hops = attributes.get(RTA_MULTIPATH);
  return [...(device ? [readU32(device, 0)] : []), ...(hops ? hopDevices(hops) : [])];
}

/** `struct rtnexthop`, several: length, flags, weight, device, and attributes as long as the length says. */
function hopDevices(hops: Buffer): number[] {
  const devices: number[] = [];
  let at = 0;
  while (at + RTNEXTHOP_BYTES <= hops.length) {
    const length = readU16(hops, at);
    if (length < RTNEXTHOP_BYTES) break;
    devices.push(readU32(hops, at + 4));
    at += aligned(length);
  }
  return devices;
}
