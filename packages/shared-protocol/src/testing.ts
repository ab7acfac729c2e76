/** What only tests need. */

export { Random } from "./random.ts";
export { FrameType, MAX_HOST, MAX_REASON } from "./wire/frames.ts";
