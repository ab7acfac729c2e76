import { readFileSync } from "node:fs";
import { libc } from "@hawser/linux-sockets";

/**
 * Who wants a descriptor. Flows leave a reserve for subflows, and both one for the status: or a line that is back could
 * not be dialled, nobody could see what is the matter, and libuv would take new connections only to close them without
 * a word (uv__emfile_trick).
 */
export type DescriptorUse = keyof typeof RESERVES;

/** What a use leaves free: a share of all, but no more than a number. */
const RESERVES = {
  flow: { share: 1 / 4, most: 1_024 },
  subflow: { share: 1 / 16, most: 64 },
  /** For files, names and child processes. */
  status: { share: 1 / 32, most: 16 },
} as const;

/** The process's own standard error: is always open. */
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

/** The numbers from here on are not for this use. */
function descriptorMark(use: DescriptorUse): number {
  const { share, most } = RESERVES[use];
  return descriptorLimit() - Math.min(most, Math.ceil(descriptorLimit() * share));
}

/**
 * Of those for flows so many are left to connections that are none: in their handshakes, refused, to the status server. The
 * gateway's own files, listeners and subflows come on top, so that a crowd of flows does not stop the listeners.
 */
const OTHERS = { share: 1 / 4, most: 1_024 } as const;
const OWN = 48;

/** How many flows there are descriptors for. */
export function flowDescriptors(): number {
  const others = Math.min(OTHERS.most, Math.ceil(descriptorLimit() * OTHERS.share));
  return Math.max(1, descriptorMark("flow") - others - OWN);
}

/** Whether fewer than `count` are left for this use. Costs two system calls for each of `count`, at most. */
export function descriptorsShort(use: DescriptorUse, count = 1): boolean {
  return descriptorsFree(use, count) < count;
}

/**
 * How many are left for this use, `most` at most. The kernel gives the lowest free number: who gets the mark has found
 * all below it taken.
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
 * Flows that are dialled by the code that runs: so many have a descriptor claimed, and of so many that were looked for so
 * many were free.
 */
let turn: { claimed: number; wanted: number; found: number } | undefined;
/** So many are looked for at least. */
const LOOK = 8;

/**
 * Whether there is a descriptor for a flow that is dialled to an address now. Node makes the socket only after the code
 * that runs (net.connect), which may dial many: OPEN frames come together in one read.
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
