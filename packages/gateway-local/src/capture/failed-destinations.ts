import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@hawser/gateway-kit";
import { LimitedLog } from "@hawser/gateway-kit";
import { IpSetErrno, IpSets, SystemError } from "@hawser/linux-sockets";
import { type Endpoint, StreamCode } from "@hawser/shared-protocol";
import { FAMILIES } from "iptables-wrapper";
import { FAILURES, type Failure, failureSet } from "./rules.ts";

/**
 * So long a destination that failed is refused at once, seconds. A client's next try, and the other connections of a page,
 * come within seconds; a server that was restarted is missed for no longer than this.
 */
const REMEMBERED_S = 10;
/** In each set: more than a house meets in that time, and little memory (some 100 bytes each) where a client scans. */
const MAX_ELEMENTS = 4_096;
/** How long the kernel may take to let go of a set after the rule that asked for it, milliseconds. */
const RELEASE_MS = 1_000;
const RELEASE_STEP_MS = 20;

const SETS = FAILURES.flatMap((failure) =>
  FAMILIES.map((family) => ({
    name: failureSet(failure, family),
    family,
    timeoutSeconds: REMEMBERED_S,
    maxElements: MAX_ELEMENTS,
  })),
);

const KINDS: Readonly<Partial<Record<number, Failure>>> = {
  [StreamCode.refused]: "refused",
  [StreamCode.hostUnreachable]: "unreachable",
  [StreamCode.networkUnreachable]: "unreachable",
  [StreamCode.timeout]: "unreachable",
};

/** What it needs of the kernel's sets. */
export type Sets = Pick<IpSets, "create" | "flush" | "destroy" | "add" | "delete" | "close">;

interface Remembered {
  readonly set: string;
  /** performance.now() */
  readonly until: number;
}

/**
 * Destinations that refused, or could not be reached, lately. To a client that was turned to the listener they look
 * connected and then broken, so it does not try the next address of a name. Known to the kernel, they are refused at the
 * SYN as they are without Hawser: the first try fails, and those after it find the next address.
 */
export class FailedDestinations {
  readonly #open: () => Sets;
  readonly #logger: Logger;
  readonly #log: LimitedLog;
  #sets: Sets | undefined;
  /** The kernel has none; that does not change while the machine runs. */
  #isWithout = false;
  /** By address and port, in the order in which they are forgotten. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(logger: Logger, open: () => Sets = () => new IpSets()) {
    this.#open = open;
    this.#logger = logger;
    this.#log = new LimitedLog(logger);
  }

  /** The sets are there: rules may ask for them. */
  get hasSets(): boolean {
    return this.#sets !== undefined;
  }

  /** Makes the sets where they are not there. What an earlier run has left in them is forgotten. Never throws. */
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

  /** The kernel has no sets, or no rule can ask for them. Never throws. */
  async goWithout(error: unknown): Promise<void> {
    if (this.#isWithout) return;
    this.#isWithout = true;
    const what = "destinations that refuse are not remembered (this takes ipset and xt_set in the kernel)";
    const effect = "a client whose name has several addresses does not try the next one";
    this.#logger.info({ err: error }, `${what}: ${effect}`);
    await this.end();
  }

  /** No rule asks for the sets any more. Never throws. */
  async end(): Promise<void> {
    const sets = this.#sets;
    if (!sets) return;
    this.#sets = undefined;
    this.#remembered.clear();
    try {
      await destroyAll(sets);
    } catch (error) {
      // Without sets in the kernel none is left, either.
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

/** Whether a gateway has made the sets. False where the kernel does not say. */
export async function areSetsThere(): Promise<boolean> {
  let sets: IpSets | undefined;
  try {
    sets = new IpSets();
    for (const { name } of SETS) if (!(await sets.has(name))) return false;
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  } finally {
    sets?.close();
  }
}

/** Removes the sets, whoever made them. @throws SystemError `IpSetErrno.busy`: a rule still asks for one */
export async function clearSets(): Promise<void> {
  let sets: IpSets | undefined;
  try {
    sets = new IpSets();
    await destroyAll(sets);
  } catch (error) {
    // A kernel without sets has none of ours.
    if (!(error instanceof SystemError) || error.errno === IpSetErrno.busy) throw error;
  } finally {
    sets?.close();
  }
}

async function destroyAll(sets: Pick<IpSets, "destroy">): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  for (const { name } of SETS) {
    // nf_tables lets go of what a rule has asked for some time after the rule has gone.
    while (!(await isDestroyed(sets, name, deadline))) await sleep(RELEASE_STEP_MS);
  }
}

/** False when it is to be tried again. @throws SystemError */
async function isDestroyed(sets: Pick<IpSets, "destroy">, name: string, deadline: number): Promise<boolean> {
  try {
    await sets.destroy(name);
    return true;
  } catch (error) {
    const isBusy = error instanceof SystemError && error.errno === IpSetErrno.busy;
    if (isBusy && performance.now() < deadline) return false;
    throw error;
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

function entryOf({ host, port }: Endpoint): { address: string; port: number } {
  return { address: host, port };
}
