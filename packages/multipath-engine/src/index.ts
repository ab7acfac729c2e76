/**
 * A session between two gateways as a state machine: streams over several subflows, without sockets, clocks and timers.
 *
 * ```ts
 * const session = new Session({ side: "local", memory: new MemoryBudget(bytes) }, now);
 * session.addSubflow({ id: 0, path: "adsl1", role: "active" }, now);
 * const stream = session.open({ kind: "redirect", destination, source }, now);
 * session.handleBytes(0, received, now); // inputs, then all outputs: pollEvent, pollTransmit, pollTimeout
 * ```
 */

export { type SessionEvent, type StreamRefusal } from "./events.ts";
export { type LineReport } from "./line-watch.ts";
export { makeTurn, type TurnConnection } from "./make-turn.ts";
export { MemoryBudget } from "./memory-budget.ts";
export { MAX_STREAMS } from "./parameters.ts";
export { PathModel } from "./path-model.ts";
export { type TierChange } from "./role-policy.ts";
export { Session } from "./session.ts";
export { type SessionTotals } from "./state.ts";
export { type PathShare, Stream, type StreamRequest } from "./stream.ts";
export { Subflow, type SubflowOptions } from "./subflow.ts";
export { TokenBucket } from "./token-bucket.ts";
