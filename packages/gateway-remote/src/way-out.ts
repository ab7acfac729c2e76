/** By which address families this machine reaches the Internet: a VPS may have no IPv6, or lose it, and homes must know. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Logger } from "@hawser/gateway-kit";
import { type LocalAddress, localAddresses, type NetlinkSocket, watchNetwork } from "@hawser/linux-sockets";
import type { EgressFamilies } from "@hawser/shared-protocol";
import { whyNotPublic } from "./authorization/public-addresses.ts";

/** Addresses far out on the Internet (a.root-servers.net): the system is asked for its way there, nothing is sent. */
const FAR = { ipv4: "198.41.0.4", ipv6: "2001:503:ba3e::2:30" } as const;
/** Changes come in bursts (a link that comes up has addresses and routes): they are looked at together, milliseconds. */
const BURST_MS = 200;
/** For how long a family counts as missing because a destination had no route, milliseconds. */
const DOUBT_MS = 60_000;

/** What there is to see of one family. */
export interface FamilyFacts {
  /** The system has a route to the Internet at large, from an address that the Internet can answer. */
  readonly hasRoute: boolean;
  /** An interface has an address that is the Internet's own: at least its network can be reached. */
  readonly hasAddress: boolean;
}

export type ReadFacts = () => Promise<Readonly<Record<keyof EgressFamilies, FamilyFacts>>>;

/**
 * Knows at all times by which families there is a way out. A family with a route to the Internet has one. A family with
 * no more than an address of its own has one until a destination turns out to be out of reach.
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

  /** Resolves when the families are known; from then on `onChange` is told of each change. */
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

  /** Reads the facts, and tells when the families have changed. */
  async look(now = performance.now()): Promise<void> {
    const { ipv4, ipv6 } = await this.#read();
    const inDoubt = now < this.#unreachableAt + DOUBT_MS;
    const families = {
      ipv4: ipv4.hasRoute || ipv4.hasAddress,
      ipv6: ipv6.hasRoute || (ipv6.hasAddress && !inDoubt),
    };
    // Whoever was told that the family is missing dials no more of its destinations: it gets another chance.
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
      // Nobody answers to an address of the home's own (fd00::/8), though a default route takes it along.
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

/** The address that the system would send from; connecting a UDP socket looks the route up and sends nothing. */
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
