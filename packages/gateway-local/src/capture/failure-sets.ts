/** The kernel's sets of destinations that failed lately; the redirect rules ask for them (see failed-destinations.ts). */

import { setTimeout as sleep } from "node:timers/promises";
import { IpSetErrno, IpSets, SystemError } from "@hawser/linux-sockets";
import { FAMILIES } from "iptables-wrapper";
import { FAILURES, failureSet } from "./rules.ts";

/**
 * How long a destination that failed is refused at once, seconds. A client's next try, and the other connections of a
 * page, come within seconds. A server that was restarted is refused for no longer than this.
 */
export const REMEMBERED_S = 10;
/**
 * The most destinations in each set. A home meets fewer in that time, and a client that scans fills no more memory than
 * some 100 bytes for each.
 */
export const MAX_ELEMENTS = 4_096;
/** How long the kernel may hold a set after the rule that asked for the set has gone, milliseconds. */
const RELEASE_MS = 1_000;
const RELEASE_STEP_MS = 20;

export const SETS = FAILURES.flatMap((failure) =>
  FAMILIES.map((family) => ({
    name: failureSet(failure, family),
    family,
    timeoutSeconds: REMEMBERED_S,
    maxElements: MAX_ELEMENTS,
  })),
);

/** Whether a gateway has created the sets. False when the kernel does not say. */
export async function areSetsThere(): Promise<boolean> {
  let sets: IpSets | undefined;
  try {
    sets = new IpSets();
    for (const { name } of SETS) if (!(await sets.has(name))) return false;
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  } finally {
    sets?.close();
  }
}

/**
 * Removes the sets, whichever program created them. @throws SystemError `IpSetErrno.busy`: a rule still asks for a set
 */
export async function clearSets(): Promise<void> {
  let sets: IpSets | undefined;
  try {
    sets = new IpSets();
    await destroyAll(sets);
  } catch (error) {
    // A kernel without sets has no set to remove.
    if (!(error instanceof SystemError) || error.errno === IpSetErrno.busy) throw error;
  } finally {
    sets?.close();
  }
}

/** @throws SystemError */
export async function destroyAll(sets: Pick<IpSets, "destroy">): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  for (const { name } of SETS) {
    // nf_tables holds a set for some time after the rule that asked for the set has gone.
    while (!(await isDestroyed(sets, name, deadline))) await sleep(RELEASE_STEP_MS);
  }
}

/** False when the set is still in use, so that the caller tries again. @throws SystemError */
async function isDestroyed(sets: Pick<IpSets, "destroy">, name: string, deadline: number): Promise<boolean> {
  try {
    await sets.destroy(name);
    return true;
  } catch (error) {
    const isBusy = error instanceof SystemError && error.errno === IpSetErrno.busy;
    if (isBusy && performance.now() < deadline) return false;
    throw error;
  }
}
