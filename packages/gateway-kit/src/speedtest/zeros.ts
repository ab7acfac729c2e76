import { MAX_PAYLOAD } from "@hawser/shared-protocol";
import type { SessionDriver } from "../session/session-driver.ts";

/** What a speed test carries. Nothing below compresses. */
export const ZEROS = Buffer.alloc(MAX_PAYLOAD);

/** Writes until the stream wants a pause, `most` bytes at most. How many it took. */
export function writeZeros(driver: SessionDriver, stream: number, most: number): number {
  let written = 0;
  let goOn = true;
  while (goOn && written < most) {
    const piece = ZEROS.subarray(0, Math.min(ZEROS.length, most - written));
    goOn = driver.write(stream, piece);
    written += piece.length;
  }
  return written;
}
