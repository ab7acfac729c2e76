import type { Logger } from "@hawser/gateway-kit";
import {
  interfaceIndex,
  localAddresses,
  NetlinkProtocol,
  NetlinkSocket,
  readRoutes,
  watchNetwork,
} from "@hawser/linux-sockets";
import { canonicalIp } from "@hawser/shared-protocol";
import type { PathConfig } from "../config.ts";
import { type Found, OwnPrefixes } from "./own-prefixes.ts";

/** How long changes are gathered before the table is read, milliseconds: a link that comes up brings several. */
const BURST_MS = 200;
/**
 * The least time between two readings, milliseconds, and what each route of the table adds to it. Reading a route takes
 * about 3 us of CPU. So a full table of the Internet that changes all the time takes 5 % of a core.
 */
const LEAST_GAP_MS = 300;
const GAP_MS_PER_ROUTE = 0.06;
/** How long after a failure the table is read again, milliseconds. */
const RETRY_MS = 5_000;

type Line = Pick<PathConfig, "interface" | "source">;

export interface RouteFollowerOptions {
  readonly logger: Logger;
  readonly lines: () => readonly Line[];
  /** Called with the prefixes that are left alone, whenever they change. */
  readonly onPrefixes: (prefixes: readonly string[]) => void;
}

/** Finds the destinations that are routed over no line, now and whenever routes, addresses or lines change. */
export class RouteFollower {
  readonly #options: RouteFollowerOptions;
  readonly #devices = new LineDevices();
  #socket: NetlinkSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The earliest time of the next reading. */
  #notBefore = 0;
  #reading: Promise<void> | undefined;
  /** Whether something has changed since the last reading began. */
  #isStale = false;
  #omitted = 0;
  #isStopped = false;

  constructor(options: RouteFollowerOptions) {
    this.#options = options;
  }

  /** Resolves when the prefixes are known. Never throws. */
  async start(): Promise<void> {
    try {
      this.#socket = watchNetwork(["links", "addresses", "routes"], () => this.handleChange());
    } catch (error) {
      this.#options.logger.warn({ err: error }, "changes of this machine's routes will not be noticed");
    }
    await this.read();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** Routes, addresses or lines have changed. */
  handleChange(): void {
    this.#isStale = true;
    if (!this.#reading) this.#readIn(BURST_MS);
  }

  #readIn(ms: number): void {
    if (this.#isStopped || this.#timer) return;
    const delay = Math.max(ms, this.#notBefore - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.read();
    }, delay).unref();
  }

  /** Reads the table now. Never throws. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#isStale) this.#readIn(BURST_MS);
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { logger, lines, onPrefixes } = this.#options;
    this.#isStale = false;
    try {
      const { prefixes, omitted, routes } = await readOwnPrefixes(this.#devices.indices(lines()));
      if (omitted > 0 && this.#omitted === 0) logger.warn({ omitted, left: prefixes.length }, TOO_MANY);
      this.#omitted = omitted;
      this.#notBefore = performance.now() + Math.max(LEAST_GAP_MS, GAP_MS_PER_ROUTE * routes);
      if (!this.#isStopped) onPrefixes(prefixes);
    } catch (error) {
      logger.warn({ err: error }, "cannot read this machine's routes; destinations are left alone as before");
      this.#notBefore = performance.now() + RETRY_MS;
      this.#isStale = true;
    }
  }
}

const TOO_MANY =
  "too many routes lead over no line: those of connected networks and some others are left alone, the rest is captured; `bypass` names what is not to be";

/** The destinations that the routing table sends over none of these interfaces. @throws SystemError */
async function readOwnPrefixes(lines: ReadonlySet<number>): Promise<Found> {
  using socket = new NetlinkSocket({ protocol: NetlinkProtocol.route });
  const found: Found[] = [];
  for (const family of [4, 6] as const) {
    let own = new OwnPrefixes(lines);
    const restart = (): void => {
      own = new OwnPrefixes(lines);
    };
    await readRoutes(socket, family, (route) => own.add(route), restart);
    found.push(own.found);
  }
  return {
    prefixes: found.flatMap(({ prefixes }) => prefixes),
    omitted: found.reduce((sum, { omitted }) => sum + omitted, 0),
    routes: found.reduce((sum, { routes }) => sum + routes, 0),
  };
}

/** The prefixes to leave alone at this moment, for rules that no gateway keeps up to date. @throws SystemError */
export async function ownPrefixesNow(lines: readonly Line[]): Promise<readonly string[]> {
  return (await readOwnPrefixes(new LineDevices().indices(lines))).prefixes;
}

/**
 * Finds the interfaces of lines. A line that only has a source address is on the interface with that address, or the
 * last one that had it.
 */
class LineDevices {
  readonly #lastOf = new Map<string, string>();

  indices(lines: readonly Line[], addresses = localAddresses()): Set<number> {
    const names = lines.flatMap((line) => line.interface ?? this.#deviceOf(line.source, addresses) ?? []);
    return new Set(names.flatMap((name) => interfaceIndex(name) ?? []));
  }

  #deviceOf(source: string | undefined, addresses: ReturnType<typeof localAddresses>): string | undefined {
    if (source === undefined) return undefined;
    const address = canonicalIp(source);
    const found =
      addresses.find((entry) => entry.address === address)?.interface ?? this.#lastOf.get(address);
    if (found !== undefined) this.#lastOf.set(address, found);
    return found;
  }
}
