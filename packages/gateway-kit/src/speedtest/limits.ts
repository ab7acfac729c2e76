/** Bounds of a speed test (SPEC.md, section 9). */

/** The longest request, with its line break, bytes. */
export const MAX_SPEEDTEST_REQUEST = 8_192;
/** The most that one stream may carry, bytes. The remote gateway ends the stream then. */
export const MAX_SPEEDTEST_BYTES = 1e9;
/** The longest that one stream may last, ms. The remote gateway ends the stream then. */
export const MAX_SPEEDTEST_MS = 60_000;
