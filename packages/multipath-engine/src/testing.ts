/** What only tests need. */

export { HoldUpAccount } from "./hold-up.ts";
export { MAX_RUNS, MAX_UNACKED_FRAMES, STREAM_BYTES } from "./limits.ts";
export { MAX_CHUNK, MAX_GONE, MAX_PEER_STREAMS, MIN_SEND_BUFFER, REST } from "./parameters.ts";
export { content, isContent } from "./testing/content.ts";
export { REQUEST } from "./testing/harness.ts";
export { Victim } from "./testing/victim.ts";
