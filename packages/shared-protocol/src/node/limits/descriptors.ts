import { readFileSync } from "node:fs";
import { libc } from "../sys/libc.ts";

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

/** Whether fewer than `count` are left for this use. Costs two system calls for each of `count`. */
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

/** Flows whose descriptor is claimed and not taken yet, and how many were free for them at the last look. */
let claimed = 0;
let found = 0;
/** So many are looked for at least. */
const LOOK = 8;

/**
 * Whether there is a descriptor for a flow that is dialled now. Node makes the socket later (net.connect), after the code
 * that runs and the lookup of a name: many OPEN frames may have come meanwhile. True is followed by `settleClaim`.
 */
export function claimDescriptor(): boolean {
  if (claimed >= found) {
    found = descriptorsFree("flow", Math.max(LOOK, 2 * claimed));
    setImmediate(() => (found = 0));
  }
  if (claimed >= found) return false;
  claimed++;
  return true;
}

/** The descriptor is taken, or will not be needed. */
export function settleClaim(): void {
  claimed--;
  found--;
}
