/**
 * Knows by which address families this machine reaches the Internet. A VPS may have no IPv6, or lose it, and homes must
 * know.
 */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Logger } from "@hawser/gateway-kit";
import { type LocalAddress, localAddresses, type NetlinkSocket, watchNetwork } from "@hawser/linux-sockets";
import type { EgressFamilies } from "@hawser/shared-protocol";
import { whyNotPublic } from "./authorization/public-addresses.ts";

/**
 * Addresses far out on the Internet (a.root-servers.net). The system is asked for its route to them; no packet is sent.
 */
const FAR = { ipv4: "198.41.0.4", ipv6: "2001:503:ba3e::2:30" } as const;
/**
 * How long changes are gathered before they are looked at, milliseconds: a link that comes up brings addresses and
 * routes.
 */
const BURST_MS = 200;
/** How long a family counts as missing after a destination had no route, milliseconds. */
const DOUBT_MS = 60_000;

/** The facts that decide whether there is a way out in one family. */
export interface FamilyFacts {
  /** The system has a route to the Internet at large, from an address that Internet hosts can answer. */
  readonly hasRoute: boolean;
  /** An interface has a public address, so at least that address's network can be reached. */
  readonly hasAddress: boolean;
}

export type ReadFacts = () => Promise<Readonly<Record<keyof EgressFamilies, FamilyFacts>>>;

/**
 * Knows by which families there is a way out. A family with a route to the Internet has one. A family with a public
 * address but no route has one until a destination in it turns out to be unreachable.
 */
export class WayOut {
  readonly #read: ReadFacts;
  readonly #onChange: (families: EgressFamilies) => void;
  readonly #logger: Logger;
  #families: EgressFamilies = { ipv4: true, ipv6: true };
  #unreachableAt = Number.NEGATIVE_INFINITY;
  #socket: NetlinkSocket | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, onChange: (families: EgressFamilies) => void, read = readFacts) {
    this.#logger = logger;
    this.#onChange = onChange;
    this.#read = read;
  }

  get families(): EgressFamilies {
    return this.#families;
  }

  /** Resolves when the families are known. From then on `onChange` is called for each change. */
  async start(): Promise<void> {
    try {
      this.#socket = watchNetwork(["links", "addresses", "routes"], () => this.#lookSoon(BURST_MS));
    } catch (error) {
      this.#logger.warn({ err: error }, "changes of the machine's routes will not be noticed");
    }
    await this.look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** An IPv6 destination had no route. */
  noteUnreachable(now = performance.now()): void {
    this.#unreachableAt = now;
    void this.look(now);
  }

  #lookSoon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), ms).unref();
  }

  /** Reads the facts, and calls `onChange` when the families have changed. */
  async look(now = performance.now()): Promise<void> {
    const { ipv4, ipv6 } = await this.#read();
    const inDoubt = now < this.#unreachableAt + DOUBT_MS;
    const families = {
      ipv4: ipv4.hasRoute || ipv4.hasAddress,
      ipv6: ipv6.hasRoute || (ipv6.hasAddress && !inDoubt),
    };
    // Homes no longer dial destinations of a family that is missing, so nothing would show that it works again.
    // Therefore it gets another chance.
    if (inDoubt && !families.ipv6) this.#lookSoon(DOUBT_MS);
    const before = this.#families;
    if (before.ipv4 === families.ipv4 && before.ipv6 === families.ipv6) return;
    this.#families = families;
    this.#logger.info(families, "the address families by which the Internet is reached have changed");
    this.#onChange(families);
  }
}

async function readFacts(): ReturnType<ReadFacts> {
  const addresses = localAddresses().filter(({ internal }) => !internal);
  const [ipv4, ipv6] = await Promise.all([sourceTowards("udp4"), sourceTowards("udp6")]);
  return {
    // Behind a NAT an IPv4 host has a private address.
    ipv4: { hasRoute: ipv4 !== undefined, hasAddress: addresses.some(isIpv4OfNetwork) },
    ipv6: {
      // A default route may start from a unique local address (fd00::/8), which nobody on the Internet can answer.
      hasRoute: ipv6 !== undefined && whyNotPublic(ipv6) === undefined,
      hasAddress: addresses.some(
        ({ address, family }) => family === 6 && whyNotPublic(address) === undefined,
      ),
    },
  };
}

function isIpv4OfNetwork({ address, family }: LocalAddress): boolean {
  const why = whyNotPublic(address);
  return family === 4 && (why === undefined || why === "private");
}

/** The source address that the system would choose. Connecting a UDP socket looks up the route and sends nothing. */
async function sourceTowards(type: "udp4" | "udp6"): Promise<string | undefined> {
  try {
    await using socket = createSocket(type);
    socket.connect(53, type === "udp4" ? FAR.ipv4 : FAR.ipv6);
    await once(socket, "connect");
    return socket.address().address;
  } catch {
    return undefined;
  }
}
