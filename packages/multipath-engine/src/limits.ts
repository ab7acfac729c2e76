/**
 * What a peer is held to, so that it cannot cost this gateway much with little (SPEC.md, section 8). Honest peers stay
 * far below all of these. Times are milliseconds, sizes bytes.
 */

/** New streams per millisecond, after a burst of as many as a gateway opens at most. Each of them is a connection to dial. */
export const STREAM_RATE = 4;
export const STREAM_BURST = 16_384;

/**
 * What a stream takes by itself, from its first frame until it is over: its place in the session, its flow and its
 * socket. The session's part of that was measured at 2.3 KB.
 */
export const STREAM_BYTES = 6_144;

/**
 * Bytes that wait for earlier ones lie in runs. What a run beyond the first FREE_RUNS takes beside its bytes counts as
 * memory held; with more than MAX_RUNS their order alone would cost too much.
 */
export const RUN_BYTES = 384;
export const FREE_RUNS = 16;
export const MAX_RUNS = 16_384;

/** Frames unacknowledged on one subflow. Data is bounded by the line's cap, but chunks and stream frames may be tiny. */
export const MAX_UNACKED_FRAMES = 16_384;
