/**
 * The addresses of a house. Lines are numbered from 1 in the order given. All addresses are from documentation or
 * private ranges, so that a stray packet would have nowhere to go.
 */

export interface AddressPair {
  readonly v4: string;
  readonly v6: string;
}

/** The LAN: one client behind the router. */
export const LAN = {
  client: { v4: "192.168.77.2", v6: "fd00:77::2" },
  router: { v4: "192.168.77.1", v6: "fd00:77::1" },
  prefix: { v4: "192.168.77.0/24", v6: "fd00:77::/64" },
} as const;

/** The remote gateway's public address, the same over every line. */
export const REMOTE_PUBLIC: AddressPair = { v4: "203.0.113.1", v6: "2001:db8:113::1" };

/** The remote's address in the network that it shares with the origin. */
export const REMOTE_WAN: AddressPair = { v4: "198.51.100.1", v6: "2001:db8:100::1" };

/** The origin: the server that clients in the LAN ask. */
export const ORIGIN: AddressPair = { v4: "198.51.100.10", v6: "2001:db8:100::10" };

export const ORIGIN_PREFIX: AddressPair = { v4: "198.51.100.0/24", v6: "2001:db8:100::/64" };

/** The origin's address that is routed over line `line` alone, both ways, past any gateway. */
export function direct(line: number): AddressPair {
  return { v4: `198.51.100.${10 + line}`, v6: `2001:db8:100::${(0x10 + line).toString(16)}` };
}

/** The network between the provider of line `line` and the remote. The provider has two public addresses in it. */
export function transit(line: number): {
  readonly remote: AddressPair;
  readonly provider: AddressPair;
  /** The provider's second address, which connections come from after a change. Only IPv4 is translated. */
  readonly otherPublic: string;
} {
  const first = 16 * line;
  return {
    remote: { v4: `192.0.2.${first + 1}`, v6: `2001:db8:a0:${line}::1` },
    provider: { v4: `192.0.2.${first + 2}`, v6: `2001:db8:a0:${line}::2` },
    otherPublic: `192.0.2.${first + 3}`,
  };
}

/** The two ends of line `line`. The far end of a line with a provider is the provider's. */
export function lineEnds(line: number): {
  router: AddressPair;
  remote: AddressPair;
  prefix: AddressPair;
} {
  return {
    router: { v4: `100.64.${line}.2`, v6: `fd00:64:${line}::2` },
    remote: { v4: `100.64.${line}.1`, v6: `fd00:64:${line}::1` },
    prefix: { v4: `100.64.${line}.0/24`, v6: `fd00:64:${line}::/64` },
  };
}
