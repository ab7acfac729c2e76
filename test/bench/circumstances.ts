/** What a figure has to be read with: of which commit it is, and on which machine and when it was measured. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";

export interface Circumstances {
  /** Short; with what was changed since, if anything was. */
  readonly commit: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly processors: string;
  readonly kernel: string;
  readonly node: string;
  /** Of connections for which a bench asks for none: plain TCP's, MPTCP's. */
  readonly congestion: string;
  readonly command: string;
}

const UNKNOWN = "not known";

/** `args` are those of the bench. */
export function circumstances(args: readonly string[], now = new Date()): Circumstances {
  return {
    commit: commitIn(import.meta.dirname),
    date: now.toISOString(),
    processors: `${availableParallelism()} of ${cpus()[0]?.model.trim() ?? UNKNOWN}`,
    kernel: release(),
    node: process.version,
    congestion: readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "utf8").trim(),
    command: ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" "),
  };
}

/** The commit of the checkout that has this folder. */
export function commitIn(folder: string): string {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { cwd: folder, encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit === undefined) return UNKNOWN;
  const isChanged = git("status", "--porcelain", "--untracked-files=no") !== "";
  return isChanged ? `${commit}, and what was changed since` : commit;
}

/** A line for each, for people. */
export function describe(what: Circumstances): string {
  return Object.entries(what)
    .map(([name, value]) => `${name.padEnd(12)} ${value}`)
    .join("\n");
}
