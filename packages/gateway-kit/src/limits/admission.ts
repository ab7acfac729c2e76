import { formatIp, parseIp } from "@hawser/shared-protocol";
import { descriptorLimit } from "./descriptors.ts";
import { Heaviest } from "./heaviest.ts";

export interface AdmissionLimits {
  readonly total: number;
  /** The most of one source; see `sourceOf`. */
  readonly perSource: number;
  /** The most of one site; see `siteOf`. */
  readonly perSite: number;
}

/** The share of all descriptors that connections may take before they have shown what they want. */
const WAITING_SHARE = 1 / 8;

/** The limits, with no more connections in all than that share of the process's descriptors. */
export function withinDescriptors(limits: AdmissionLimits, descriptors = descriptorLimit()): AdmissionLimits {
  return { ...limits, total: Math.max(1, Math.min(limits.total, Math.floor(descriptors * WAITING_SHARE))) };
}

/**
 * Limits connections that have not shown yet who they are or what they want. When one source or one site has too many, its
 * oldest one has to go. When there are too many in all, the oldest one of the site with the most has to go: a flood from a
 * few networks displaces its own connections and no others. This class knows no sockets.
 */
export class Admission<T> {
  readonly #limits: AdmissionLimits;
  readonly #drop: (connection: T) => void;
  readonly #origins = new Map<T, { readonly source: string; readonly site: string }>();
  /** The connections of each source and of each site, in order of arrival. An entry without connections is removed. */
  readonly #sources = new Map<string, Set<T>>();
  readonly #sites = new Map<string, Set<T>>();
  readonly #heaviest = new Heaviest();

  /** `drop` is called with a connection that has to go. It counts no more by then. */
  constructor(limits: AdmissionLimits, drop: (connection: T) => void) {
    this.#limits = limits;
    this.#drop = drop;
  }

  get size(): number {
    return this.#origins.size;
  }

  /** Counts a new connection from this address. Others go to make room for it. */
  enter(connection: T, address: string | undefined): void {
    const [source, site] = [sourceOf(address), siteOf(address)];
    const { total, perSource, perSite } = this.#limits;
    if ((this.#sources.get(source)?.size ?? 0) >= perSource) this.#dropOldest(this.#sources.get(source));
    else if (this.#heaviest.count(site) >= perSite) this.#dropOldest(this.#sites.get(site));
    else if (this.size >= total) this.#dropOldest(this.#sites.get(this.#heaviest.key ?? ""));
    this.#origins.set(connection, { source, site });
    addTo(this.#sources, source, connection);
    addTo(this.#sites, site, connection);
    this.#heaviest.add(site);
  }

  /** Counts a connection no more: it has shown what it wants, or has closed. */
  leave(connection: T): void {
    const origin = this.#origins.get(connection);
    if (!origin) return;
    this.#origins.delete(connection);
    removeFrom(this.#sources, origin.source, connection);
    removeFrom(this.#sites, origin.site, connection);
    this.#heaviest.remove(origin.site);
  }

  #dropOldest(group: ReadonlySet<T> | undefined): void {
    for (const oldest of group ?? []) {
      this.leave(oldest);
      return this.#drop(oldest);
    }
  }
}

function addTo<T>(groups: Map<string, Set<T>>, key: string, connection: T): void {
  const group = groups.get(key) ?? new Set();
  groups.set(key, group.add(connection));
}

function removeFrom<T>(groups: Map<string, Set<T>>, key: string, connection: T): void {
  const group = groups.get(key);
  group?.delete(connection);
  if (group?.size === 0) groups.delete(key);
}

/**
 * What counts as one source: an IPv4 address, also a mapped one; of an IPv6 address its /64, all of which one host may
 * use (RFC 8981).
 */
export function sourceOf(address: string | undefined): string {
  return networkOf(address, 64);
}

/** What counts as one site: an IPv4 address; of an IPv6 address its /48, which one customer may have whole (RFC 6177). */
export function siteOf(address: string | undefined): string {
  return networkOf(address, 48);
}

function networkOf(address: string | undefined, bits: 48 | 64): string {
  const bytes = parseIp(address ?? "");
  if (bytes?.length !== 16) return address ?? "";
  const text = formatIp(bytes);
  if (text.startsWith("::ffff:") && text.includes(".")) return text.slice("::ffff:".length);
  const kept = bytes.subarray(0, bits / 8);
  return `${formatIp(Buffer.concat([kept, Buffer.alloc(16 - kept.length)]))}/${bits}`;
}
