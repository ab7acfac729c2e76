import { canonicalIp, type LocalAddress, localAddresses } from "@hawser/shared-protocol/node";

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
}

/**
 * Tells when the link of a path goes down and when it is there again. The system lists addresses of interfaces that are
 * up and running; only what was listed can be lost, for an interface without an address never is, and carries data all
 * the same (PPP).
 */
export class LinkWatch {
  readonly #list: () => LocalAddress[];
  /** Whether the owner's link was listed when last looked for. */
  readonly #listed = new Map<LinkOwner, boolean>();
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
    for (const [owner, before] of this.#listed) {
      const now = isListed(owner.config, addresses);
      if (now === before) continue;
      this.#listed.set(owner, now);
      if (now) owner.handleLinkBack();
      else owner.handleLinkLost(reasonOf(owner.config));
    }
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
