import type { CloseCode, EgressFamilies, Endpoint, StreamCode } from "@hawser/shared-protocol";
import type { LivenessState } from "./liveness.ts";
import type { TierChange } from "./role-policy.ts";
import type { StreamRequest } from "./stream.ts";

/** Why there is no room for another stream: memory, their number, or (remote) how quickly they come. */
export type StreamRefusal = "memory" | "streams" | "rate";

/** What the engine tells its driver, in order, through `pollEvent`. */
export type SessionEvent =
  /** Remote: a new flow wants to be dialled. Answer with `accept` or `reset`. */
  | { readonly type: "open"; readonly stream: number; readonly request: StreamRequest }
  /** Local: the destination was reached. */
  | { readonly type: "opened"; readonly stream: number; readonly bound: Endpoint }
  /** `read` has something: bytes, the end, or both. */
  | { readonly type: "readable"; readonly stream: number }
  /** `write` may be called again after it said no. */
  | { readonly type: "writable"; readonly stream: number }
  /** The peer has reset the stream. What came before is still read, then `reset` follows. */
  | { readonly type: "resetting"; readonly stream: number }
  /** The stream is gone: reset by the peer, or with the session. */
  | { readonly type: "reset"; readonly stream: number; readonly code: StreamCode }
  /** Both directions have ended in order and all is acknowledged. */
  | { readonly type: "closed"; readonly stream: number }
  /** A subflow's state changed. */
  | { readonly type: "subflow"; readonly subflow: number; readonly state: LivenessState }
  /** A subflow begins or ends to rest: its `holdUpAccount` says which. */
  | { readonly type: "rest"; readonly subflow: number }
  /** The peer gave the path another role, which is the subflow's now. */
  | { readonly type: "role"; readonly subflow: number }
  /** Local: by which address families the remote gateway reaches the Internet from now on. */
  | { readonly type: "egress"; readonly families: EgressFamilies }
  /** Remote: a stream was refused before anything was known of it. */
  | { readonly type: "refused"; readonly reason: StreamRefusal }
  /** Lines of other tiers carry what this side sends. */
  | ({ readonly type: "tier" } & TierChange)
  /** The driver is to close this subflow's connection, after writing what `pollTransmit` still has for it. */
  | {
      readonly type: "close-subflow";
      readonly subflow: number;
      readonly code: CloseCode;
      readonly reason: string;
    }
  /** The session is over; nothing more comes. */
  | { readonly type: "session-closed"; readonly code: CloseCode; readonly reason: string };
