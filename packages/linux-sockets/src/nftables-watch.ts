import { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";
import { readAttributes } from "./netlink-attributes.ts";
import type { NetlinkMessage } from "./netlink-message.ts";

/** A change of the kernel's nf_tables rules; what iptables-nft does is one, what iptables-legacy does is none. */
export interface RulesChange {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  /** The program that made it, at most 15 characters; undefined where the kernel does not say. */
  readonly by: string | undefined;
}

/** linux/netfilter/nfnetlink.h, nf_tables.h */
const NFNLGRP_NFTABLES = 7;
const NFNL_SUBSYS_NFTABLES = 10;
/** NEWTABLE, DELTABLE, NEWCHAIN, DELCHAIN, NEWRULE, DELRULE: what may change where packets go. Sets change all the time. */
const RULE_MESSAGES: ReadonlySet<number> = new Set([0, 2, 3, 5, 6, 8]);
/** The last message of a change. */
const NEWGEN = 15;
const NFTA_GEN_PROC_NAME = 3;
/** `struct nfgenmsg`: family, version, resource */
const NFGENMSG_BYTES = 4;
const NFPROTO_INET = 1;
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

/** Puts the messages of a change together. */
export class RulesChanges {
  readonly #onChange: (change: RulesChange) => void;
  readonly #families = new Set<number>();

  constructor(onChange: (change: RulesChange) => void) {
    this.#onChange = onChange;
  }

  handleMessage({ type, body }: NetlinkMessage): void {
    if (type >> 8 !== NFNL_SUBSYS_NFTABLES || body.length < NFGENMSG_BYTES) return;
    const kind = type & 0xff;
    if (RULE_MESSAGES.has(kind)) this.#families.add(body[0] ?? 0);
    if (kind !== NEWGEN || this.#families.size === 0) return;
    const has = (family: number): boolean => this.#families.has(family) || this.#families.has(NFPROTO_INET);
    const name = readAttributes(body, NFGENMSG_BYTES).get(NFTA_GEN_PROC_NAME);
    const by = name?.toString("latin1").replace(/\0.*$/s, "");
    const change = { ipv4: has(NFPROTO_IPV4), ipv6: has(NFPROTO_IPV6), by };
    this.#families.clear();
    this.#onChange(change);
  }
}

/**
 * Hears of every change of the nf_tables rules of this network namespace. `onLost`: there were more than could be read.
 * @throws SystemError EPERM without CAP_NET_ADMIN, EPROTONOSUPPORT where the kernel has no nf_tables
 */
export function watchNftables(onChange: (change: RulesChange) => void, onLost: () => void): NetlinkSocket {
  const changes = new RulesChanges(onChange);
  return new NetlinkSocket({
    protocol: NetlinkProtocol.netfilter,
    groups: [NFNLGRP_NFTABLES],
    onMessage: (message) => changes.handleMessage(message),
    onLost,
  });
}
