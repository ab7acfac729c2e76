import type { Logger } from "@hawser/gateway-kit";
import type { EventLog } from "@hawser/status-api";
import type { CaptureStatus } from "@hawser/status-api/model";
import { type Family, IptablesError, IptablesErrorCode, type Runner, readCounters } from "iptables-wrapper";
import { CaptureProof } from "./capture-proof.ts";
import { RULES_OWNER } from "./rules.ts";

/**
 * How often the rules' counters are read while connections come, milliseconds: a process each time. Two samples in a row find
 * a fault.
 */
const SAMPLE_MS = 10_000;
/** While none come each pause is twice as long as the one before, up to this, milliseconds. */
const IDLE_MS = 60_000;

const NAMES = { ipv4: "IPv4", ipv6: "IPv6" } as const;
type Proofs = readonly { readonly family: Family; readonly proof: CaptureProof }[];

/**
 * Notices that a firewall drops redirected connections: the LAN is cut off then, although rules and lines are well. This
 * takes the right to read the rules. Without it only the number of accepted connections is known.
 */
export class CaptureWatch {
  readonly #proofs: Proofs;
  readonly #accepted: (family: Family) => number;
  readonly #runner: Runner;
  readonly #events: EventLog;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #mayRead = true;

  /** `accepted` is how many connections have arrived so far. */
  constructor(
    families: readonly Family[],
    accepted: (family: Family) => number,
    runner: Runner,
    events: EventLog,
    logger: Logger,
  ) {
    this.#proofs = families.map((family) => ({ family, proof: new CaptureProof() }));
    this.#accepted = accepted;
    this.#runner = runner;
    this.#events = events;
    this.#logger = logger;
  }

  start(): void {
    this.#sampleIn(SAMPLE_MS);
  }

  #sampleIn(pauseMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#sampleAndGoOn(pauseMs), pauseMs).unref();
  }

  async #sampleAndGoOn(pauseMs: number): Promise<void> {
    const before = JSON.stringify(this.status());
    await this.sample();
    const isIdle = JSON.stringify(this.status()) === before;
    this.#sampleIn(isIdle ? Math.min(IDLE_MS, 2 * pauseMs) : SAMPLE_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  status(): readonly CaptureStatus[] {
    return this.#proofs.map(({ family, proof }) => {
      const accepted = this.#accepted(family);
      const state = proof.state === "unproven" && accepted > 0 ? "arrives" : proof.state;
      return { family, state, accepted, redirected: proof.redirected };
    });
  }

  async sample(): Promise<void> {
    await Promise.all(this.#proofs.map((each) => this.#sample(each)));
  }

  async #sample({ family, proof }: Proofs[number]): Promise<void> {
    const redirected = await this.#redirected(family);
    const before = proof.state;
    // Read afterwards: what has been redirected is here by now.
    proof.handleSample(this.#accepted(family), redirected);
    if (proof.state !== before) this.#tell(family, before, proof);
  }

  /** Null when the rules cannot be read. */
  async #redirected(family: Family): Promise<number | null> {
    if (!this.#mayRead) return null;
    try {
      const counters = await readCounters(this.#runner, family, "nat");
      const own = counters.filter(({ chain, target }) => chain === RULES_OWNER && target === "REDIRECT");
      return own.reduce((sum, { packets }) => sum + packets, 0);
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      const { noPermission, toolMissing, kernelSupport } = IptablesErrorCode;
      const isForGood = ([noPermission, toolMissing, kernelSupport] as string[]).includes(error.code);
      if (isForGood) this.#mayRead = false;
      this.#logger.debug({ err: error, family }, "cannot read the redirect rules' counters");
      return null;
    }
  }

  #tell(family: Family, before: CaptureStatus["state"], { state, redirected }: CaptureProof): void {
    if (state === "blocked") {
      const message = `the LAN's ${NAMES[family]} connections are redirected and do not arrive: a firewall drops them; \`hawser-local doctor\` says which rule`;
      this.#events.add("capture-blocked", message);
      this.#logger.error({ family, redirected }, message);
    } else if (before === "blocked") {
      const message = `the LAN's ${NAMES[family]} connections arrive again`;
      this.#events.add("capture-back", message);
      this.#logger.info({ family }, message);
    }
  }
}
