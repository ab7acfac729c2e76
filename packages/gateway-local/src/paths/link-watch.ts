import { type LocalAddress, localAddresses } from "@hawser/linux-sockets";
import { canonicalIp } from "@hawser/shared-protocol";

/**
 * How often the system is asked, milliseconds: what is sent meanwhile on a line that has gone is late by as much. Asking
 * takes about 0.1 ms.
 */
export const PERIOD_MS = 50;

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

/**
 * Tells when the link of a path goes down and when it is there again, and when addresses go that its connections may use:
 * an interface that gets another address is never down. The system lists addresses of interfaces that are
 * up and running; only what was listed can be lost, for an interface without an address never is, and carries data all
 * the same (PPP).
 */
export class LinkWatch {
  readonly #list: () => LocalAddress[];
  /** Whether the owner's link was listed when last looked for. */
  readonly #listed = new Map<LinkOwner, boolean>();
  /** All addresses that were listed when last looked for. */
  #addresses: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(list: () => LocalAddress[] = localAddresses) {
    this.#list = list;
  }

  add(owner: LinkOwner): void {
    if (this.#listed.has(owner)) return;
    this.#listed.set(owner, isListed(owner.config, this.#ask() ?? []));
    this.#timer ??= setInterval(() => this.#check(), PERIOD_MS);
  }

  remove(owner: LinkOwner): void {
    this.#listed.delete(owner);
    if (this.#listed.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    const addresses = this.#ask();
    if (!addresses) return;
    const gone = this.#findGone(addresses);
    for (const [owner, before] of this.#listed) {
      const now = isListed(owner.config, addresses);
      this.#listed.set(owner, now);
      if (before && !now) owner.handleLinkLost(reasonOf(owner.config));
      else if (gone.size > 0) owner.handleAddressesGone(gone);
      if (now && !before) owner.handleLinkBack();
    }
  }

  #findGone(listed: readonly LocalAddress[]): ReadonlySet<string> {
    const before = this.#addresses;
    this.#addresses = new Set(listed.map(({ address }) => address));
    return new Set([...before].filter((address) => !this.#addresses.has(address)));
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
