export type { SessionEvent } from "./events.ts";
export type { LineReport } from "./line-watch.ts";
export type { LivenessState } from "./liveness.ts";
export { MemoryBudget } from "./memory-budget.ts";
export type { PathModel } from "./path-model.ts";
export { type ReadResult, Session } from "./session.ts";
export type { SessionOptions, SessionTotals } from "./state.ts";
export type { PathShare, Stream, StreamRequest } from "./stream.ts";
export type { Subflow, SubflowOptions } from "./subflow.ts";
