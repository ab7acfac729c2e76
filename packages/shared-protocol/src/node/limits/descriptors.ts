import { readFileSync } from "node:fs";
import { libc } from "../sys/libc.ts";

/**
 * Who wants a descriptor. Flows leave a reserve: without it a line that is back could not be dialled, nobody could
 * ask for the status, and libuv would take new connections only to close them without a word (uv__emfile_trick).
 */
export type DescriptorUse = "flow" | "gateway";

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

/** The kernel gives the lowest free number: whoever gets this one or a higher has found all below it in use. */
export function descriptorMark(use: DescriptorUse, most = descriptorLimit()): number {
  const reserve = use === "flow" ? Math.min(1_024, most / 4) : Math.min(64, most / 16);
  return most === Number.POSITIVE_INFINITY ? most : Math.floor(most - reserve);
}

/** Whether there is none left for this use now. Costs two system calls. */
export function descriptorsShort(use: DescriptorUse): boolean {
  const mark = descriptorMark(use);
  if (mark === Number.POSITIVE_INFINITY) return false;
  const fd = libc().dup(STDERR);
  if (fd < 0) return true;
  libc().close(fd);
  return fd >= mark;
}
