/** Changes of this network namespace's interfaces, addresses and routes, as rtnetlink(7) tells of them. */

import { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";

/** RTNLGRP_* of linux/rtnetlink.h: of both address families. */
const GROUPS = { links: [1], addresses: [5, 9], routes: [7, 11] } as const;

export type NetworkPart = keyof typeof GROUPS;

/**
 * Calls back whenever one of these changes, once for each message of the kernel, and when messages were lost: whoever is
 * called looks at everything. Needs no privilege. @throws SystemError
 */
export function watchNetwork(parts: readonly NetworkPart[], onChange: () => void): NetlinkSocket {
  return new NetlinkSocket({
    protocol: NetlinkProtocol.route,
    groups: parts.flatMap((part) => GROUPS[part]),
    onMessage: onChange,
    onLost: onChange,
  });
}
