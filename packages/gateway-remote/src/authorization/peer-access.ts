/** What each peer may do, over all of its sessions and through reloads. */

import type { Logger } from "@hawser/gateway-kit";
import { childLogger, flowDescriptors, LimitedLog, type SpeedtestVerb } from "@hawser/gateway-kit";
import { MemoryBudget, TokenBucket } from "@hawser/multipath-engine";
import type { RemoteConfig } from "../config.ts";
import { NameResolver } from "../names/name-resolver.ts";
import type { PeerConfig } from "../peer-file.ts";
import { FlowLimits } from "./flow-limits.ts";
import { EgressPolicy } from "./policy.ts";

/**
 * Where there are several peers, none may have more of the memory, unless `max_bytes_in_flight` says so, nor of the
 * descriptors, whatever `max_flows` says.
 */
const SHARE_OF_ONE = 0.75;

/** Subflows that join: SPEC.md, section 8. As many as a session may have at once, and what flapping lines need. */
const JOINS = { perMs: 8 / 1_000, burst: 256 };
/** Lines of the log of each kind about sessions and subflows, in ten seconds. */
const SESSION_LINES = 10;

/** One peer's. A session keeps it for its life. */
export interface PeerAccess {
  /** As the configuration is now. */
  policy: EgressPolicy;
  readonly limits: FlowLimits;
  readonly memory: MemoryBudget;
  /** For what the peer can cause in any number: a home must not fill the VPS's disk. */
  readonly log: LimitedLog;
  /** The same for its sessions and their subflows: a home with many lines has many at its start. */
  readonly sessionLog: LimitedLog;
  /** Subflows that may join. */
  readonly joins: TokenBucket;
  /** Its own: nobody waits for another's names. */
  readonly names: NameResolver;
  /** Streams of the speed test that runs: one of each kind at most. */
  readonly speedtests: Set<SpeedtestVerb>;
}

export class PeerAccesses {
  readonly #memory: MemoryBudget;
  readonly #logger: Logger;
  #peers = new Map<string, PeerAccess>();

  constructor(config: RemoteConfig, logger: Logger) {
    this.#logger = logger;
    this.#memory = new MemoryBudget(config.limits.memoryBytes);
    this.handleConfig(config);
  }

  /** Rules and limits as they are from now on. Sessions of peers that are gone keep what they had until they end. */
  handleConfig(config: RemoteConfig): void {
    this.#peers = new Map(config.peers.map((peer) => [peer.name, this.#update(peer, config)]));
  }

  /** Of a peer that is admitted. */
  of(name: string): PeerAccess {
    const access = this.#peers.get(name);
    if (!access) throw new Error(`${name} is not admitted`);
    return access;
  }

  #update(peer: PeerConfig, config: RemoteConfig): PeerAccess {
    const policy = policyOf(peer, config);
    const all = this.#memory.cap;
    const areSeveral = config.peers.length > 1;
    const cap = Math.min(all, peer.maxBytesInFlight ?? all * (areSeveral ? SHARE_OF_ONE : 1));
    const flows = areSeveral ? Math.ceil(flowDescriptors() * SHARE_OF_ONE) : Number.POSITIVE_INFINITY;
    const limits = { ...peer, maxFlows: Math.min(peer.maxFlows, flows) };
    const known = this.#peers.get(peer.name);
    if (!known) {
      const logger = childLogger(this.#logger, { peer: peer.name });
      const now = performance.now();
      return {
        policy,
        limits: new FlowLimits(limits, now),
        memory: new MemoryBudget(cap, this.#memory),
        log: new LimitedLog(logger),
        sessionLog: new LimitedLog(logger, SESSION_LINES),
        joins: new TokenBucket(JOINS.perMs, JOINS.burst, now),
        names: new NameResolver(),
        speedtests: new Set(),
      };
    }
    known.policy = policy;
    known.limits.handleConfig(limits);
    known.memory.cap = cap;
    return known;
  }
}

/** A peer's `allow` takes the place of the common one; its `deny` holds besides. */
function policyOf(peer: PeerConfig, { egress }: RemoteConfig): EgressPolicy {
  return new EgressPolicy({
    allow: peer.allow ?? egress.allow,
    deny: [...egress.deny, ...peer.deny],
  });
}
