/**
 * The names of namespaces: `hw<pid>s<start>r<random>-<role>`. They name the process that owns the namespace, so what a
 * killed run has left can be told from what another run is using. The system reuses process ids, but a process id and a
 * start time together are unique.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const NAME = /^hw(\d+)s([0-9a-z]+)r[0-9a-f]+-[a-z]+$/;

/** A prefix that no other house has, of this run or any other. */
export function newRunId(): string {
  return `hw${process.pid}s${startTime(process.pid)}r${randomBytes(3).toString("hex")}`;
}

/** Whether the namespace belongs to a house whose process has ended. */
export function isLeftover(namespace: string): boolean {
  const match = NAME.exec(namespace);
  if (match === null) return false;
  return startTime(Number(match[1])) !== match[2];
}

/** The start time of a process in kernel ticks, base 36; undefined when the process does not run: proc_pid_stat(5). */
function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The command name, in brackets, may contain anything; after it come state (3), ..., starttime (22).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return Number(fields[19]).toString(36);
}
