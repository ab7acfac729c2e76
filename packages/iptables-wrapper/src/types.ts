/** Rule sets as plain data. Nothing here is checked; `validateRuleSet` does that. */

/** The families of addresses: iptables serves `ipv4`, ip6tables `ipv6`. */
export const Family = { ipv4: "ipv4", ipv6: "ipv6" } as const;
export type Family = (typeof Family)[keyof typeof Family];
/** Both families, IPv4 first. */
export const FAMILIES: readonly Family[] = [Family.ipv4, Family.ipv6];

export type TableName = "filter" | "nat" | "mangle" | "raw";
/** The chains that the kernel itself has (iptables(8), TABLES); not each table has all of them. */
export type BuiltinChain = "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT" | "POSTROUTING";

/** Everything that one owner wants in place. A family left out means: nothing of ours there. */
export interface RuleSet {
  /**
   * Names the instance, for example `HAWSER` or `HAWSER-home`: letters, digits, `_` and `-`. Own
   * chains are called `OWNER` or `OWNER.suffix`, and jumps carry the comment `managed-by:OWNER`;
   * by these marks everything is found again, whatever the configuration was when it was put there.
   */
  readonly owner: string;
  readonly ipv4?: readonly TableRules[];
  readonly ipv6?: readonly TableRules[];
}

/** Our chains of one table, and the jumps from builtin chains into them. */
export interface TableRules {
  readonly table: TableName;
  readonly chains: readonly Chain[];
  readonly jumps: readonly Jump[];
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** A rule in a builtin chain that leads into an own chain. */
export interface Jump extends Match {
  readonly from: BuiltinChain;
  readonly to: string;
  /** Before or after what others have in the builtin chain; `first` when left out. */
  readonly position?: "first" | "last";
}

/** What becomes of the packets that match. */
export interface Rule extends Match {
  readonly comment?: string;
  readonly target: Target;
}

/** All that is given must hold; an empty match holds always. */
export interface Match {
  /** CIDR or single address. */
  readonly source?: string;
  /** CIDR or single address. */
  readonly destination?: string;
  /** A name, or a prefix ending in `+`. */
  readonly inInterface?: string;
  /** A name, or a prefix ending in `+`. */
  readonly outInterface?: string;
  /** `icmp` means ICMPv6 in the ipv6 family. */
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** One port or an inclusive range; needs protocol tcp or udp. */
  readonly destinationPort?: number | { readonly from: number; readonly to: number };
  /** What the routing table says of the destination; `LOCAL` is this machine's own addresses. */
  readonly destinationType?: "LOCAL" | "BROADCAST" | "MULTICAST" | "UNICAST";
  readonly mark?: { readonly value: number; readonly mask?: number };
  /** The first packet of a TCP connection; needs protocol tcp. */
  readonly syn?: boolean;
  /** What connection tracking says; `DNAT`: the destination was changed on this machine, as REDIRECT does. */
  readonly connectionState?: "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "DNAT" | "SNAT";
  /** A set of the type hash:ip,port that has the destination and its port. It must be there before the rule. */
  readonly destinationSet?: string;
}

export type Target =
  | "RETURN"
  | "ACCEPT"
  | "DROP"
  | "MASQUERADE"
  /** To a port of this machine. */
  | { readonly redirectTo: number }
  | { readonly rejectWith: string }
  /** To another own chain of the same table. */
  | { readonly jump: string };
