/** The kernel's sets of destinations that failed lately; the redirect rules ask for them (see failed-destinations.ts). */

import { setTimeout as sleep } from "node:timers/promises";
import { IpSetErrno, IpSets, SystemError } from "@hawser/linux-sockets";
import { FAMILIES } from "iptables-wrapper";
import { FAILURES, failureSet } from "./rules.ts";

/**
 * So long a destination that failed is refused at once, seconds. A client's next try, and the other connections of a page,
 * come within seconds; a server that was restarted is missed for no longer than this.
 */
export const REMEMBERED_S = 10;
/** In each set: more than a house meets in that time, and little memory (some 100 bytes each) where a client scans. */
export const MAX_ELEMENTS = 4_096;
/** How long the kernel may take to let go of a set after the rule that asked for it, milliseconds. */
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

/** Whether a gateway has made the sets. False where the kernel does not say. */
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

/** Removes the sets, whoever made them. @throws SystemError `IpSetErrno.busy`: a rule still asks for one */
export async function clearSets(): Promise<void> {
  let sets: IpSets | undefined;
  try {
    sets = new IpSets();
    await destroyAll(sets);
  } catch (error) {
    // A kernel without sets has none of ours.
    if (!(error instanceof SystemError) || error.errno === IpSetErrno.busy) throw error;
  } finally {
    sets?.close();
  }
}

/** @throws SystemError */
export async function destroyAll(sets: Pick<IpSets, "destroy">): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  for (const { name } of SETS) {
    // nf_tables lets go of what a rule has asked for some time after the rule has gone.
    while (!(await isDestroyed(sets, name, deadline))) await sleep(RELEASE_STEP_MS);
  }
}

/** False when it is to be tried again. @throws SystemError */
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
