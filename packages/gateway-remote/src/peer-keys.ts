import { derivePsk, pskIdentity, type Secret } from "@hawser/shared-protocol";
import type { RemoteConfig } from "./config.ts";
import type { PeerConfig } from "./peer-file.ts";

/** A peer's key, as it lets a subflow in. */
export interface PeerKey {
  readonly peer: string;
  readonly psk: Secret;
  /** Of an old key: until when it is good at most, milliseconds since 1970. Undefined: the peer's present key. */
  readonly until?: number;
}

/**
 * Which keys let in whom. A rotation, as the keys of one peer see it:
 *
 * ```
 *  key A --(rotate)--> key B, old key A --(a subflow joins with B, or old_key_until has come)--> key B
 * ```
 */
export class PeerKeys {
  /** By the PSK identity that its holder claims. */
  #keys = new Map<string, PeerKey>();
  /** PSK identities of old keys that their peers no longer need, whether or not the file still has them. */
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

  /** The key of a PSK identity; undefined for those that are not, or no longer, admitted. */
  find(identity: string): PeerKey | undefined {
    const key = this.#keys.get(identity);
    if (key?.until === undefined) return key;
    return Date.now() >= key.until || this.#retired.has(identity) ? undefined : key;
  }

  /** What a key that was found earlier is now. */
  recheck({ peer, psk }: PeerKey): PeerKey | undefined {
    const key = this.find(pskIdentity(peer, psk));
    return key?.psk.equals(psk) ? key : undefined;
  }

  /** Some key is good for a while only. */
  get isRotating(): boolean {
    return [...this.#keys.values()].some(({ until }) => until !== undefined);
  }

  /** The peer has joined with its present key: from now on an old one lets nobody in. False: it has none. */
  retireOldKey(peer: string): boolean {
    for (const [identity, key] of this.#keys) {
      if (key.peer !== peer || key.until === undefined || !this.find(identity)) continue;
      this.#retired.add(identity);
      return true;
    }
    return false;
  }
}
