import { isIP } from "node:net";
import type { Logger } from "@hawser/gateway-kit";
import { LimitedLog } from "@hawser/gateway-kit";
import { IpSets } from "@hawser/linux-sockets";
import { type Endpoint, StreamCode } from "@hawser/shared-protocol";
import { destroyAll, MAX_ELEMENTS, REMEMBERED_S, SETS } from "./failure-sets.ts";
import { type Failure, failureSet } from "./rules.ts";

const KINDS: Readonly<Partial<Record<number, Failure>>> = {
  [StreamCode.refused]: "refused",
  [StreamCode.hostUnreachable]: "unreachable",
  [StreamCode.networkUnreachable]: "unreachable",
  [StreamCode.timeout]: "unreachable",
};

/** The methods of IpSets that are used here. */
export type Sets = Pick<IpSets, "create" | "flush" | "destroy" | "add" | "delete" | "close">;

interface Remembered {
  readonly set: string;
  /** By performance.now(). */
  readonly until: number;
}

/**
 * Remembers destinations that lately refused, or could not be reached. A redirected client sees a connection to such a
 * destination open and then break, so the client does not try the name's next address. A destination in one of the
 * kernel's sets is refused at the SYN by the rules, as it would be without Hawser. So the first try fails, and the next
 * tries find the next address.
 */
export class FailedDestinations {
  readonly #open: () => Sets;
  readonly #logger: Logger;
  readonly #log: LimitedLog;
  #sets: Sets | undefined;
  /** Whether the kernel has no sets. That does not change while the machine runs. */
  #isWithout = false;
  /** The destinations by address and port, those that are forgotten first at the head. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(logger: Logger, open: () => Sets = () => new IpSets()) {
    this.#open = open;
    this.#logger = logger;
    this.#log = new LimitedLog(logger);
  }

  /** Whether the sets exist, so that rules may ask for them. */
  get hasSets(): boolean {
    return this.#sets !== undefined;
  }

  /** Creates the sets that are missing, and empties sets that an earlier run has left. Never throws. */
  async prepare(): Promise<void> {
    if (this.#isWithout) return;
    const isFirst = this.#sets === undefined;
    try {
      this.#sets ??= this.#open();
      for (const set of SETS) await this.#sets.create(set);
      if (isFirst) for (const { name } of SETS) await this.#sets.flush(name);
    } catch (error) {
      await this.goWithout(error);
    }
  }

  /** Does without sets from now on: the kernel has none, or no rule can ask for them. Never throws. */
  async goWithout(error: unknown): Promise<void> {
    if (this.#isWithout) return;
    this.#isWithout = true;
    const what = "destinations that refuse are not remembered (this takes ipset and xt_set in the kernel)";
    const effect = "a client whose name has several addresses does not try the next one";
    this.#logger.info({ err: error }, `${what}: ${effect}`);
    await this.end();
  }

  /** Removes the sets, once no rule asks for them any more. Never throws. */
  async end(): Promise<void> {
    const sets = this.#sets;
    if (!sets) return;
    this.#sets = undefined;
    this.#remembered.clear();
    try {
      await destroyAll(sets);
    } catch (error) {
      // A kernel without sets has none to remove.
      if (!this.#isWithout)
        this.#logger.warn({ err: error }, "cannot remove the sets of failed destinations");
    }
    sets.close();
  }

  /** The remote gateway could not open a flow. */
  handleFailed(destination: Endpoint, code: StreamCode): void {
    const failure = KINDS[code];
    const family = isIP(destination.host);
    if (!this.#sets || failure === undefined || family === 0) return;
    this.handleOpened(destination);
    const now = performance.now();
    for (const [key, { until }] of this.#remembered) {
      if (until > now) break;
      this.#remembered.delete(key);
    }
    if (this.#remembered.size >= MAX_ELEMENTS) return;
    const set = failureSet(failure, family === 4 ? "ipv4" : "ipv6");
    this.#remembered.set(keyOf(destination), { set, until: now + REMEMBERED_S * 1_000 });
    this.#change(this.#sets.add(set, entryOf(destination)));
  }

  /** A flow to it has opened: it works again. */
  handleOpened(destination: Endpoint): void {
    const remembered = this.#remembered.get(keyOf(destination));
    if (!remembered || !this.#sets) return;
    this.#remembered.delete(keyOf(destination));
    this.#change(this.#sets.delete(remembered.set, entryOf(destination)));
  }

  #change(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#log.write("change", "warn", { err: error }, "cannot remember a destination that failed");
    });
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

function entryOf({ host, port }: Endpoint): { address: string; port: number } {
  return { address: host, port };
}
