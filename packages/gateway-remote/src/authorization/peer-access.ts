/** What each peer may do. One object serves all sessions of a peer, and outlives reloads. */

import type { Logger } from "@hawser/gateway-kit";
import { childLogger, flowDescriptors, LimitedLog, type SpeedtestVerb } from "@hawser/gateway-kit";
import { MemoryBudget, TokenBucket } from "@hawser/multipath-engine";
import type { RemoteConfig } from "../config.ts";
import { NameResolver } from "../names/name-resolver.ts";
import type { PeerConfig } from "../peer-file.ts";
import { FlowLimits } from "./flow-limits.ts";
import { EgressPolicy } from "./policy.ts";

/**
 * With several peers, no peer may have more than this share of the memory, unless `max_bytes_in_flight` says so, nor of
 * the descriptors, whatever `max_flows` says.
 */
const SHARE_OF_ONE = 0.75;

/**
 * The rate at which subflows may join (SPEC.md, section 8). The burst holds all subflows of a peer, and the rate allows
 * for flapping lines.
 */
const JOINS = { perMs: 8 / 1_000, burst: 256 };
/** The most log lines of one kind about sessions and subflows in ten seconds. */
const SESSION_LINES = 10;

/** The rights and limits of one peer. A session keeps this object for its life. */
export interface PeerAccess {
  /** The rules of the present configuration. */
  policy: EgressPolicy;
  readonly limits: FlowLimits;
  readonly memory: MemoryBudget;
  /** For log lines that a peer can cause in any number: a home must not fill the VPS's disk. */
  readonly log: LimitedLog;
  /** The same for log lines about sessions and subflows. A home with many lines causes many of these at its start. */
  readonly sessionLog: LimitedLog;
  /** Bounds the rate at which subflows join. */
  readonly joins: TokenBucket;
  /** The peer's own resolver, so that no peer waits for another's names. */
  readonly names: NameResolver;
  /** The streams of the speed test that runs: one of each kind at most. */
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

  /** Takes over changed rules and limits. Sessions of removed peers keep theirs until they end. */
  handleConfig(config: RemoteConfig): void {
    this.#peers = new Map(config.peers.map((peer) => [peer.name, this.#update(peer, config)]));
  }

  /** The access of an admitted peer. */
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

/** A peer's `allow` replaces the common one; its `deny` adds to the common one. */
function policyOf(peer: PeerConfig, { egress }: RemoteConfig): EgressPolicy {
  return new EgressPolicy({
    allow: peer.allow ?? egress.allow,
    deny: [...egress.deny, ...peer.deny],
  });
}
