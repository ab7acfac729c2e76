import { setTimeout as sleep } from "node:timers/promises";
import type { House } from "../lab/house.ts";
import { sum } from "./statistics.ts";

/** Less than this in one step is no transfer any more: pings, acknowledgements. */
const IDLE_BYTES = 4_000;
const STEP_MS = 250;
const PATIENCE_MS = 30_000;

/**
 * Waits until nothing is left under way on the lines: a transfer that was called off may have megabytes in the buffers
 * of a proxy. Longer than a line's queue and its delay, for what is in there shows only when it comes out. False when
 * it does not get quiet.
 */
export async function whenQuiet(house: House, calmMs = 750): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  let before = await carried(house);
  for (let calm = 0; calm < calmMs; ) {
    if (performance.now() > deadline) return false;
    await sleep(STEP_MS);
    const now = await carried(house);
    calm = now - before < IDLE_BYTES ? calm + STEP_MS : 0;
    before = now;
  }
  return true;
}

/** What all lines have delivered so far, bytes of IP. */
export async function carried(
  house: House,
  directions: readonly ("down" | "up")[] = ["down", "up"],
): Promise<number> {
  const { lines } = await house.emulatorCounters();
  return sum(
    Object.values(lines).flatMap((line) => directions.map((direction) => line[direction].deliveredBytes)),
  );
}
