/**
 * Destinations that the routing table sends over no line: the home's own networks, also those with global addresses, and
 * networks behind a tunnel. They are left alone, since the kernel knows a route to them and the remote gateway may not.
 */

import { type Route, SPECIAL_RANGES } from "@hawser/linux-sockets";
import { formatIp, parseIp } from "@hawser/shared-protocol";

/** Routes with shorter prefixes lead to the Internet (0.0.0.0/1 of a VPN, 2000::/3 of a tunnel), which is captured. */
const LEAST_PREFIX = { 4: 8, 6: 16 } as const;
/**
 * The most prefixes: each is a rule that every new connection passes. A home has a few, a full table of the Internet a
 * million.
 */
export const MAX_OWN_PREFIXES = 512;

interface Range {
  readonly family: 4 | 6;
  readonly address: Buffer;
  readonly prefix: number;
}

/** Other rules leave these alone already. */
const SPECIAL: readonly Range[] = SPECIAL_RANGES.flatMap(([, ...texts]) => texts.map(rangeOf));

/** Collects such destinations from a routing table of any length. */
export class OwnPrefixes {
  readonly #lines: ReadonlySet<number>;
  /** Prefixes by their text: those of connected networks, and all others. */
  readonly #connected = new Map<string, Range>();
  readonly #others = new Map<string, Range>();
  #omitted = 0;
  #routes = 0;

  /** `lines`: the kernel's indices of the lines' interfaces. */
  constructor(lines: ReadonlySet<number>) {
    this.#lines = lines;
  }

  add(route: Route): void {
    this.#routes++;
    if (route.prefix < LEAST_PREFIX[route.family] || route.devices.some((device) => this.#lines.has(device)))
      return;
    if (SPECIAL.some((special) => contains(special, route))) return;
    const kind = route.isConnected ? this.#connected : this.#others;
    const { family, address, prefix } = route;
    if (kind.size < MAX_OWN_PREFIXES) kind.set(textOf(route), { family, address, prefix });
    else if (!kind.has(textOf(route))) this.#omitted++;
  }

  /** The prefixes in a fixed order, none of them within another. `omitted`: how many did not fit. */
  get found(): Found {
    const kept: Range[] = [];
    for (const kind of [this.#connected, this.#others]) {
      const wideFirst = [...kind.values()].sort((a, b) => a.prefix - b.prefix);
      for (const range of wideFirst) if (!kept.some((wider) => contains(wider, range))) kept.push(range);
    }
    const left = kept.slice(0, MAX_OWN_PREFIXES);
    return {
      prefixes: left.map(textOf).sort(),
      omitted: this.#omitted + kept.length - left.length,
      routes: this.#routes,
    };
  }
}

export interface Found {
  readonly prefixes: readonly string[];
  readonly omitted: number;
  /** The number of routes in the table. */
  readonly routes: number;
}

function rangeOf(text: string): Range {
  const [host = "", prefix = ""] = text.split("/");
  const address = parseIp(host) ?? Buffer.alloc(0);
  return { family: address.length === 4 ? 4 : 6, address, prefix: Number(prefix) };
}

function textOf({ address, prefix }: Range): string {
  return `${formatIp(address)}/${prefix}`;
}

function contains(wide: Range, narrow: Range): boolean {
  if (wide.family !== narrow.family || wide.prefix > narrow.prefix) return false;
  for (let bit = 0; bit < wide.prefix; bit += 8) {
    const mask = (0xff00 >> Math.min(8, wide.prefix - bit)) & 0xff;
    const at = bit >> 3;
    if (((wide.address[at] ?? 0) & mask) !== ((narrow.address[at] ?? 0) & mask)) return false;
  }
  return true;
}
