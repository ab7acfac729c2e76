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

/**
 * Whether fewer than `count` are left for this use. The kernel gives the lowest free number: who gets the mark has found
 * all below it taken. Costs two system calls for each of `count`.
 */
export function descriptorsShort(use: DescriptorUse, count = 1): boolean {
  const mark = descriptorMark(use);
  if (mark === Number.POSITIVE_INFINITY) return false;
  const c = libc();
  const tried = Array.from({ length: count }, () => c.dup(STDERR));
  for (const fd of tried) if (fd >= 0) c.close(fd);
  return tried.some((fd) => fd < 0 || fd >= mark);
}
