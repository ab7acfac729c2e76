import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Endpoint } from "@hawser/shared-protocol";
import { canonicalIp } from "@hawser/shared-protocol";
import { DialError } from "./paths/dial-error.ts";

/** How long whoever wants to dial waits for a name server, milliseconds. It may be behind a line that is down. */
export const PATIENCE_MS = 1_000;

/**
 * How long an address is still the remote gateway's after its name led elsewhere, milliseconds: connections to it may go on,
 * and a name may lead back. Without an end a name that changes daily would fill the redirect rules.
 */
export const KEPT_MS = 3_600_000;

export interface RemoteAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A name that is being asked for. */
interface Question {
  readonly answer: Promise<readonly RemoteAddress[]>;
  /** Rejects once the name server has been silent for too long. */
  readonly deadline: Promise<never>;
}

/**
 * The remote gateway's addresses: where it is dialled, and what must never be captured, or it would go round for ever.
 * What a name led to last is good until it leads elsewhere: lines are dialled without a name server, too.
 */
export class RemoteAddresses {
  readonly #onChange: () => void;
  readonly #now: () => number;
  readonly #lookup: (host: string) => Promise<LookupAddress[]>;
  readonly #questions = new Map<string, Question>();
  readonly #known = new Map<string, readonly RemoteAddress[]>();
  readonly #all = new Set<string>();
  /** When each of them was last what a name led to. */
  readonly #foundAt = new Map<string, number>();

  /** `onChange` is called when there are more addresses, or fewer. */
  constructor(
    onChange: () => void = () => {},
    lookupAll = (host: string): Promise<LookupAddress[]> => lookup(host, { all: true }),
    now = (): number => performance.now(),
  ) {
    this.#onChange = onChange;
    this.#lookup = lookupAll;
    this.#now = now;
  }

  /** Every address that was found, in canonical text, until `KEPT_MS` after its name led elsewhere; a live set. */
  get all(): ReadonlySet<string> {
    return this.#all;
  }

  /** Finds them all, however long it takes. A name that does not resolve is passed over: the lines may be down yet. */
  async learn(endpoints: readonly Endpoint[]): Promise<void> {
    await Promise.allSettled(endpoints.map(({ host }) => this.#ask(host).answer));
  }

  /**
   * The addresses of a host of the pairing, in the order in which to try them: the present ones where the name server
   * says so in time, otherwise the last ones known. Takes `PATIENCE_MS` at most.
   * @throws the errors of getaddrinfo(3), and Error for no answer in time, when none was ever found
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

  /** One question at a time for each name, however many lines want to know: a silent one keeps a thread for long. */
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
    // Whoever waits hears of a failure; it may be that nobody does.
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
    // What is replaced was the name's until now.
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
