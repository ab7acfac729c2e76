import { readFileSync } from "node:fs";
import { libc } from "@hawser/linux-sockets";

/**
 * What a descriptor is for. Flows leave a reserve for subflows, and both leave one for the status server. Without reserves
 * a line that comes back could not be dialled, nobody could see why, and libuv would accept new connections only to close
 * them at once (uv__emfile_trick).
 */
export type DescriptorUse = keyof typeof RESERVES;

/** How many descriptors a use leaves free: a share of all, up to a number. */
const RESERVES = {
  flow: { share: 1 / 4, most: 1_024 },
  subflow: { share: 1 / 16, most: 64 },
  /** For files, names and child processes. */
  status: { share: 1 / 32, most: 16 },
} as const;

/** Standard error, which is always open: it is duplicated to find free descriptors. */
const STDERR = 2;

let limit: number | undefined;

/** RLIMIT_NOFILE (getrlimit(2)), which Node raises to the hard limit at its start. */
export function descriptorLimit(): number {
  limit ??= readLimit();
  return limit;
}

function readLimit(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Descriptors from this number on are not for this use. */
function descriptorMark(use: DescriptorUse): number {
  const { share, most } = RESERVES[use];
  return descriptorLimit() - Math.min(most, Math.ceil(descriptorLimit() * share));
}

/**
 * Descriptors below the mark of flows that flows leave to others. OTHERS: connections in a handshake, refused ones, and
 * those of the status server. OWN: the gateway's files, listeners and subflows. So a crowd of flows stops no listener.
 */
const OTHERS = { share: 1 / 4, most: 1_024 } as const;
const OWN = 48;

/** For how many flows there are descriptors. */
export function flowDescriptors(): number {
  const others = Math.min(OTHERS.most, Math.ceil(descriptorLimit() * OTHERS.share));
  return Math.max(1, descriptorMark("flow") - others - OWN);
}

/**
 * Whether fewer than `count` descriptors are left for this use. It takes at most two system calls for each of `count`.
 */
export function descriptorsShort(use: DescriptorUse, count = 1): boolean {
  return descriptorsFree(use, count) < count;
}

/**
 * How many descriptors are left for this use, counted up to `most`. The kernel gives the lowest free number, so a
 * duplicate at the mark means that all numbers below it are taken.
 */
function descriptorsFree(use: DescriptorUse, most: number): number {
  const mark = descriptorMark(use);
  if (mark === Number.POSITIVE_INFINITY) return most;
  const c = libc();
  const tried: number[] = [];
  let isFree = true;
  while (isFree && tried.length < most) {
    const fd = c.dup(STDERR);
    isFree = fd >= 0 && fd < mark;
    if (fd >= 0) tried.push(fd);
  }
  for (const fd of tried) c.close(fd);
  return tried.filter((fd) => fd < mark).length;
}

/**
 * While the running code dials flows: how many flows have claimed a descriptor, how many free descriptors were looked for,
 * and how many were found. Undefined otherwise.
 */
let turn: { claimed: number; wanted: number; found: number } | undefined;
/** How many free descriptors are looked for at once, at least. */
const LOOK = 8;

/**
 * Whether there is a descriptor for a flow that is dialled to an address now. net.connect makes the socket only after the
 * running code has ended, and that code may dial many flows: one read can bring many OPEN frames.
 */
export function claimDescriptor(): boolean {
  if (!turn) {
    turn = { claimed: 0, wanted: 0, found: 0 };
    process.nextTick(() => (turn = undefined));
  }
  if (turn.claimed >= turn.found && turn.found === turn.wanted) {
    turn.wanted = Math.max(LOOK, 2 * turn.claimed);
    turn.found = descriptorsFree("flow", turn.wanted);
  }
  if (turn.claimed >= turn.found) return false;
  turn.claimed++;
  return true;
}
