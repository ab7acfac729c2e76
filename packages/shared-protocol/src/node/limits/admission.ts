import { formatIpv6, parseIp } from "../sys/ip-address.ts";

export interface AdmissionLimits {
  readonly total: number;
  /** Of one source: see `sourceOf`. */
  readonly perSource: number;
}

/**
 * Connections that have not shown yet who they are or what they want: how many there may be, and which one goes when
 * there are too many. One source has too many: its oldest. All together are too many: the oldest of the source that
 * has most, so that a flood from a few addresses displaces itself and nobody else. No sockets in here.
 */
export class Admission<T> {
  readonly #limits: AdmissionLimits;
  readonly #drop: (connection: T) => void;
  /** By source; within one in order of arrival. No source is without a connection. */
  readonly #sources = new Map<string, Set<T>>();
  readonly #sourceOf = new Map<T, string>();

  /** `drop` is told of a connection that has to go; it has left already. */
  constructor(limits: AdmissionLimits, drop: (connection: T) => void) {
    this.#limits = limits;
    this.#drop = drop;
  }

  get size(): number {
    return this.#sourceOf.size;
  }

  /** The connection came from this address. Room is made for it. */
  enter(connection: T, address: string | undefined): void {
    const source = sourceOf(address);
    if (this.#countOf(source) >= this.#limits.perSource) this.#dropOldest(source);
    else if (this.size >= this.#limits.total) this.#dropOldest(this.#heaviest());
    const peers = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, peers.add(connection));
    this.#sourceOf.set(connection, source);
  }

  /** It has shown what it had to, or has gone. */
  leave(connection: T): void {
    const source = this.#sourceOf.get(connection);
    if (source === undefined) return;
    this.#sourceOf.delete(connection);
    const peers = this.#sources.get(source);
    peers?.delete(connection);
    if (peers?.size === 0) this.#sources.delete(source);
  }

  #countOf(source: string): number {
    return this.#sources.get(source)?.size ?? 0;
  }

  /** Of several, the one that has been here longest. */
  #heaviest(): string {
    let heaviest = "";
    for (const source of this.#sources.keys()) {
      if (this.#countOf(source) > this.#countOf(heaviest)) heaviest = source;
    }
    return heaviest;
  }

  #dropOldest(source: string): void {
    for (const oldest of this.#sources.get(source) ?? []) {
      this.leave(oldest);
      return this.#drop(oldest);
    }
  }
}

/** What counts as one source: an IPv4 address, also a mapped one; of an IPv6 address its /64, all of which one host may use (RFC 8981). */
export function sourceOf(address: string | undefined): string {
  const bytes = parseIp(address ?? "");
  if (bytes?.length !== 16) return address ?? "";
  const text = formatIpv6(bytes);
  if (text.startsWith("::ffff:") && text.includes(".")) return text.slice("::ffff:".length);
  return `${formatIpv6(Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(8)]))}/64`;
}
