import { everySecond, type Logger } from "@hawser/gateway-kit";
import { type LocalAddress, localAddresses, watchNetwork } from "@hawser/linux-sockets";
import { canonicalIp } from "@hawser/shared-protocol";

/**
 * From one look at the system's addresses to the next, milliseconds, however much changes: a look takes about 0.1 ms, and
 * a link that comes up is many changes.
 */
export const LEAST_GAP_MS = 50;

/** What a path's connections are bound to: an interface, an address, or both. */
export interface Link {
  readonly interface?: string | undefined;
  readonly source?: string | undefined;
}

/** Whoever wants to know of a link. */
export interface LinkOwner {
  readonly config: Link;
  handleLinkLost(reason: string): void;
  handleLinkBack(): void;
  /** These addresses have left this machine; the link itself is still there. In canonical text. */
  handleAddressesGone(addresses: ReadonlySet<string>): void;
}

/** Hears of changes until it is closed. @throws where the kernel does not tell of them */
type Hear = (onChange: () => void) => { close(): void };

export interface LinkWatchOptions {
  readonly logger: Logger;
  /** What a test says instead of the system. */
  readonly list?: () => LocalAddress[];
  readonly hear?: Hear;
}

const hearOfAddresses: Hear = (onChange) => watchNetwork(["links", "addresses"], onChange);

/**
 * Tells when the link of a path goes down and when it is there again, and when addresses go that its connections may use:
 * an interface that gets another address is never down. The system lists addresses of interfaces that are
 * up and running; only what was listed can be lost, for an interface without an address never is, and carries data all
 * the same (PPP).
 *
 * The kernel says when something has changed, and the list says what: so it does not matter which messages were lost, or
 * in which order an interface was renamed, made again, or an address moved.
 */
export class LinkWatch {
  readonly #logger: Logger;
  readonly #list: () => LocalAddress[];
  readonly #hear: Hear;
  /** Whether the owner's link was listed when last looked for. */
  readonly #listed = new Map<LinkOwner, boolean>();
  /** What was listed when last looked for. */
  #addresses: readonly LocalAddress[] = [];
  #endFollowing: (() => void) | undefined;
  /** Runs for LEAST_GAP_MS after each look. */
  #gap: NodeJS.Timeout | undefined;
  /** Something may have changed since the last look. */
  #isStale = false;
  #isRefused = false;

  constructor({ logger, list = localAddresses, hear = hearOfAddresses }: LinkWatchOptions) {
    this.#logger = logger;
    this.#list = list;
    this.#hear = hear;
  }

  add(owner: LinkOwner): void {
    if (this.#listed.has(owner)) return;
    // First it hears, then it looks: no change falls in between.
    this.#endFollowing ??= this.#follow();
    this.#look();
    this.#listed.set(owner, isListed(owner.config, this.#addresses));
  }

  remove(owner: LinkOwner): void {
    this.#listed.delete(owner);
    if (this.#listed.size > 0) return;
    this.#endFollowing?.();
    this.#endFollowing = undefined;
    clearTimeout(this.#gap);
    this.#gap = undefined;
  }

  #follow(): () => void {
    try {
      const watch = this.#hear(() => this.#handleChange());
      return () => watch.close();
    } catch (error) {
      if (!this.#isRefused) this.#logger.warn({ err: error }, REFUSED);
      this.#isRefused = true;
      return everySecond(() => this.#handleChange());
    }
  }

  /** The first of a burst is looked at now, the rest together. */
  #handleChange(): void {
    if (this.#gap) this.#isStale = true;
    else this.#look();
  }

  #look(): void {
    const addresses = this.#ask();
    this.#isStale = addresses === undefined;
    this.#gap ??= setTimeout(() => {
      this.#gap = undefined;
      if (this.#isStale) this.#look();
    }, LEAST_GAP_MS).unref();
    if (addresses) this.#tell(addresses);
  }

  #tell(addresses: readonly LocalAddress[]): void {
    const gone = this.#findGone(addresses);
    this.#addresses = addresses;
    for (const [owner, before] of this.#listed) {
      const now = isListed(owner.config, addresses);
      this.#listed.set(owner, now);
      if (before && !now) owner.handleLinkLost(reasonOf(owner.config));
      else if (gone.size > 0) owner.handleAddressesGone(gone);
      if (now && !before) owner.handleLinkBack();
    }
  }

  #findGone(listed: readonly LocalAddress[]): ReadonlySet<string> {
    const now = new Set(listed.map(({ address }) => address));
    return new Set(this.#addresses.map(({ address }) => address).filter((address) => !now.has(address)));
  }

  /** Undefined when the system does not say, for want of descriptors or memory: that tells nothing of any link. */
  #ask(): LocalAddress[] | undefined {
    try {
      return this.#list();
    } catch {
      return undefined;
    }
  }
}

const REFUSED =
  "the kernel does not tell of interfaces and addresses that change: they are looked at once a second, and a line that goes down is noticed that late";

function isListed({ interface: name, source }: Link, addresses: readonly LocalAddress[]): boolean {
  const address = source === undefined ? undefined : canonicalIp(source);
  return addresses.some(
    (entry) =>
      (name === undefined || entry.interface === name) &&
      (address === undefined || entry.address === address),
  );
}

function reasonOf({ interface: name, source }: Link): string {
  if (name === undefined) return `the address ${source} has left this machine`;
  const down = `the interface ${name} is down or gone`;
  return source === undefined ? down : `${down}, or has lost the address ${source}`;
}
