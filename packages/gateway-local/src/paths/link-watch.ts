import { everySecond, type Logger } from "@hawser/gateway-kit";
import { type LocalAddress, localAddresses, watchNetwork } from "@hawser/linux-sockets";
import { canonicalIp } from "@hawser/shared-protocol";

/**
 * The least time between two looks at the system's addresses, milliseconds. A look takes about 0.1 ms, and a link that
 * comes up makes many changes.
 */
export const LEAST_GAP_MS = 50;

/** What a path's connections are bound to: an interface, an address, or both. */
export interface Link {
  readonly interface?: string | undefined;
  readonly source?: string | undefined;
}

/** The part of a path that LinkWatch tells. */
export interface LinkOwner {
  readonly config: Link;
  handleLinkLost(reason: string): void;
  handleLinkBack(): void;
  /** These addresses, in canonical text, have left this machine. The link itself is still there. */
  handleAddressesGone(addresses: ReadonlySet<string>): void;
}

/** Calls `onChange` for each change until it is closed. @throws when the kernel reports no changes */
type Hear = (onChange: () => void) => { close(): void };

export interface LinkWatchOptions {
  readonly logger: Logger;
  /** The addresses that a test gives in place of the system's. */
  readonly list?: () => LocalAddress[];
  readonly hear?: Hear;
}

const hearOfAddresses: Hear = (onChange) => watchNetwork(["links", "addresses"], onChange);

/**
 * Tells a path when its link is lost and when the link is back, and when addresses are gone that the path's connections
 * may use: an interface that gets another address need not go down. The system lists the addresses of interfaces that
 * are up and running. Only a listed link can be lost: an interface without an address (PPP) is never listed, and
 * carries data all the same.
 *
 * The kernel says when something has changed, and the list says what. So no message of the kernel is needed: messages
 * may be lost, an interface may be renamed or made again, an address may move.
 */
export class LinkWatch {
  readonly #logger: Logger;
  readonly #list: () => LocalAddress[];
  readonly #hear: Hear;
  /** Whether the link of each path was listed at the last look. */
  readonly #listed = new Map<LinkOwner, boolean>();
  /** The addresses that were listed at the last look. */
  #addresses: readonly LocalAddress[] = [];
  #endFollowing: (() => void) | undefined;
  /** Runs for LEAST_GAP_MS after each look. */
  #gap: NodeJS.Timeout | undefined;
  /** Whether something may have changed since the last look. */
  #isStale = false;
  #isRefused = false;

  constructor({ logger, list = localAddresses, hear = hearOfAddresses }: LinkWatchOptions) {
    this.#logger = logger;
    this.#list = list;
    this.#hear = hear;
  }

  add(owner: LinkOwner): void {
    if (this.#listed.has(owner)) return;
    // It listens before it looks, so that no change falls in between.
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

  /** Looks at the first change of a burst at once, and at the rest together. */
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

  /** Undefined when the system lists nothing, for want of descriptors or memory. That says nothing about any link. */
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
