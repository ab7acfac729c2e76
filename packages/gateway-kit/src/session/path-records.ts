import type { Subflow, TierChange } from "@hawser/multipath-engine";
import type { PathRole } from "@hawser/shared-protocol";
import { type PathObserver, PathRecord } from "./path-record.ts";

/** Why a path has another role, as the remote gateway sees it. */
const TOLD = "told by the local gateway";

/** The records of a session's paths, by the paths' names. */
export class PathRecords {
  readonly #records: Map<string, PathRecord>;
  readonly #firstReason: string;
  readonly #observer: PathObserver | undefined;

  /** `records` may outlive the session. */
  constructor(side: "local" | "remote", records = new Map<string, PathRecord>(), observer?: PathObserver) {
    this.#records = records;
    this.#firstReason = side === "local" ? "configured" : TOLD;
    this.#observer = observer;
  }

  get all(): readonly PathRecord[] {
    return [...this.#records.values()];
  }

  /** The record of a path; it begins with the path's first subflow. */
  open(name: string, role: PathRole): PathRecord {
    let record = this.#records.get(name);
    if (!record) {
      record = new PathRecord(name, role, this.#firstReason, this.#observer);
      this.#records.set(name, record);
    }
    return record;
  }

  /** The record of a subflow's path, which has the subflow's role now. */
  follow({ path, role }: Subflow): PathRecord {
    const record = this.open(path, role);
    record.setRole(role, TOLD);
    return record;
  }

  get(name: string): PathRecord | undefined {
    return this.#records.get(name);
  }

  /** Lines of other tiers are used: tells the paths of `subflows` whose tier the change is about. */
  noteUse(change: TierChange, subflows: Iterable<Subflow>): void {
    const [low, high] = [Math.min(change.top, change.before), Math.max(change.top, change.before)];
    const concerned = [...subflows].filter(({ tier }) => tier > low && tier <= high);
    for (const name of new Set(concerned.map(({ path }) => path))) this.get(name)?.noteUse(change);
  }
}
