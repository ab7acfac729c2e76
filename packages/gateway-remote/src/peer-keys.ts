import { derivePsk, pskIdentity, type Secret } from "@hawser/shared-protocol";
import type { RemoteConfig } from "./config.ts";
import type { PeerConfig } from "./peer-file.ts";

/** A key that admits a peer's subflows. */
export interface PeerKey {
  readonly peer: string;
  readonly psk: Secret;
  /** The end of an old key's life, milliseconds since 1970; undefined for the peer's present key. */
  readonly until?: number;
}

/**
 * Knows which key admits which peer. The keys of one peer in a rotation:
 *
 * ```
 *  key A --(rotate)--> key B, old key A --(a subflow joins with B, or old_key_until has come)--> key B
 * ```
 */
export class PeerKeys {
  /** The keys by the PSK identity that a connection claims. */
  #keys = new Map<string, PeerKey>();
  /**
   * PSK identities of old keys that are void since their peer has joined with its new key. The file may still hold
   * them.
   */
  readonly #retired = new Set<string>();

  constructor(config: RemoteConfig) {
    this.handleConfig(config);
  }

  handleConfig({ identity, peers }: RemoteConfig): void {
    this.#keys = new Map();
    for (const peer of peers) this.#add(identity, peer);
  }

  #add(identity: Secret, { name, key, old_key: oldKey, old_key_until: until }: PeerConfig): void {
    if (oldKey && until) {
      const psk = derivePsk(identity, oldKey, name);
      this.#keys.set(pskIdentity(name, psk), { peer: name, psk, until: until.getTime() });
    }
    const present = { peer: name, psk: derivePsk(identity, key, name) };
    this.#keys.set(pskIdentity(name, present.psk), present);
    // The bare name stands for the present key.
    this.#keys.set(name, present);
  }

  /** The key of a PSK identity; undefined when no such key is admitted. */
  find(identity: string): PeerKey | undefined {
    const key = this.#keys.get(identity);
    if (key?.until === undefined) return key;
    return Date.now() >= key.until || this.#retired.has(identity) ? undefined : key;
  }

  /** Looks up a key that was found earlier: it may have been removed, replaced, or have expired since. */
  recheck({ peer, psk }: PeerKey): PeerKey | undefined {
    const key = this.find(pskIdentity(peer, psk));
    return key?.psk.equals(psk) ? key : undefined;
  }

  /** Whether some key expires at a set time. */
  get isRotating(): boolean {
    return [...this.#keys.values()].some(({ until }) => until !== undefined);
  }

  /** Ends the old key of a peer that has joined with its present key. False when the peer has no old key. */
  retireOldKey(peer: string): boolean {
    for (const [identity, key] of this.#keys) {
      if (key.peer !== peer || key.until === undefined || !this.find(identity)) continue;
      this.#retired.add(identity);
      return true;
    }
    return false;
  }
}
