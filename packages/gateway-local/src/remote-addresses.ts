import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Endpoint } from "@hawser/shared-protocol";
import { canonicalIp } from "@hawser/shared-protocol";
import { DialError } from "./paths/dial-error.ts";

/** How long a dial waits for a name server, milliseconds. The name server may be behind a line that is down. */
export const PATIENCE_MS = 1_000;

/**
 * How long an address counts as the remote gateway's after its name has led elsewhere, milliseconds. Connections to the
 * address may go on, and the name may lead back. The time is bounded, since a name that changes daily would fill the
 * redirect rules.
 */
export const KEPT_MS = 3_600_000;

export interface RemoteAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A question to a name server that has no answer yet. */
interface Question {
  readonly answer: Promise<readonly RemoteAddress[]>;
  /** Rejects when the name server has been silent for too long. */
  readonly deadline: Promise<never>;
}

/**
 * Knows the remote gateway's addresses. Lines are dialled to them, and the rules never capture them: the lines' own
 * connections would go round for ever. A name's last addresses count until the name leads elsewhere, so lines are
 * dialled without a name server, too.
 */
export class RemoteAddresses {
  readonly #onChange: () => void;
  readonly #now: () => number;
  readonly #lookup: (host: string) => Promise<LookupAddress[]>;
  readonly #questions = new Map<string, Question>();
  readonly #known = new Map<string, readonly RemoteAddress[]>();
  readonly #all = new Set<string>();
  /** When each address was last found behind a name. */
  readonly #foundAt = new Map<string, number>();

  /** `onChange` is called when the set of all addresses has changed. */
  constructor(
    onChange: () => void = () => {},
    lookupAll = (host: string): Promise<LookupAddress[]> => lookup(host, { all: true }),
    now = (): number => performance.now(),
  ) {
    this.#onChange = onChange;
    this.#lookup = lookupAll;
    this.#now = now;
  }

  /**
   * All addresses, in canonical text. An address stays for `KEPT_MS` after its name has led elsewhere. The set is live.
   */
  get all(): ReadonlySet<string> {
    return this.#all;
  }

  /**
   * Finds the addresses of all endpoints, however long that takes. Skips a name that does not resolve: the lines may
   * still be down.
   */
  async learn(endpoints: readonly Endpoint[]): Promise<void> {
    await Promise.allSettled(endpoints.map(({ host }) => this.#ask(host).answer));
  }

  /**
   * The addresses of one host of the pairing, in the order in which to try them. They are the present ones when the
   * name server answers in time, otherwise the last known ones. Takes `PATIENCE_MS` at most.
   * @throws the errors of getaddrinfo(3), or an Error for no answer in time, when no address was ever found
   */
  async find(host: string): Promise<readonly RemoteAddress[]> {
    const { answer, deadline } = this.#ask(host);
    try {
      return await Promise.race([answer, deadline]);
    } catch (error) {
      const known = this.#known.get(host);
      if (known) return known;
      throw error;
    }
  }

  /**
   * Asks one question at a time for each name, however many lines wait: a silent name server keeps a thread busy for
   * long.
   */
  #ask(host: string): Question {
    const underWay = this.#questions.get(host);
    if (underWay) return underWay;
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new DialError(`${host} has not resolved within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
    const answer = this.#resolve(host).finally(() => {
      clearTimeout(timer);
      this.#questions.delete(host);
    });
    const question = { answer, deadline: timeout.promise };
    // Each `find` that waits gets the rejection. Without one the rejection must not count as unhandled.
    for (const promise of [answer, timeout.promise]) promise.catch(() => {});
    this.#questions.set(host, question);
    return question;
  }

  async #resolve(host: string): Promise<readonly RemoteAddress[]> {
    const literal = isIP(host);
    if (literal !== 0) return this.#note(host, [{ address: host, family: literal }]);
    return this.#note(host, await this.#lookup(host));
  }

  #note(host: string, found: readonly LookupAddress[]): readonly RemoteAddress[] {
    const families = new Map(found.map(({ address, family }) => [address, family as 4 | 6]));
    const addresses = [...families].map(([address, family]) => ({ address, family }));
    // The replaced addresses were the name's until now.
    const replaced = this.#known.get(host) ?? [];
    this.#known.set(host, addresses);
    const before = [...this.#all].join();
    for (const { address } of [...replaced, ...addresses]) this.#keep(canonicalIp(address));
    this.#forgetOld();
    if ([...this.#all].join() !== before) this.#onChange();
    return addresses;
  }

  #keep(address: string): void {
    this.#all.add(address);
    this.#foundAt.set(address, this.#now());
  }

  #forgetOld(): void {
    const known = new Set([...this.#known.values()].flat().map(({ address }) => canonicalIp(address)));
    for (const [address, at] of this.#foundAt) {
      if (known.has(address) || this.#now() - at < KEPT_MS) continue;
      this.#all.delete(address);
      this.#foundAt.delete(address);
    }
  }
}
