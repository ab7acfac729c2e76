import type { PathObserver, PathRecord, PathState } from "@hawser/gateway-kit";
import type { TierChange } from "@hawser/multipath-engine";
import type { EventType } from "../schemas/events.ts";
import type { EventLog } from "./event-log.ts";

/** Writes the changes of one peer's paths into the log. */
export class PathEvents implements PathObserver {
  readonly #log: EventLog;
  readonly #peer: string;
  readonly #sends: "uploads" | "downloads";
  readonly #states = new Map<string, PathState>();
  /** Paths that have carried data before. */
  readonly #known = new Set<string>();
  /** Overflow and backup paths whose last event was path-in-use. */
  readonly #inUse = new Set<string>();
  #isUnreachable = false;

  /** `sends`: what this gateway sends to the peer. */
  constructor(log: EventLog, peer: string, sends: "uploads" | "downloads") {
    this.#log = log;
    this.#peer = peer;
    this.#sends = sends;
  }

  onState(path: PathRecord, before: PathState): void {
    this.#states.set(path.name, path.state);
    switch (path.state) {
      case "probation":
      case "up":
        if (before !== "probation" && before !== "up") this.#noteUp(path, before);
        break;
      case "suspect":
        this.#add("path-suspect", path, `${path.name} makes no progress; its data goes over other lines`);
        break;
      case "down":
        this.#add("path-down", path, `${path.name} is down: ${path.lastError}`);
        break;
    }
    this.#noteReach();
  }

  onRole(path: PathRecord): void {
    this.#add("path-role", path, `${path.name} is ${path.role} now: ${path.roleReason}`);
  }

  onUse(path: PathRecord, change: TierChange): void {
    const { name } = path;
    if (change.top > change.before) {
      this.#inUse.add(name);
      this.#add("path-in-use", path, `${name} is in use for ${this.#sends}: ${whyChanged(change)}`);
    } else if (this.#inUse.delete(name)) {
      this.#add("path-idle", path, `${name} is idle for ${this.#sends}: ${whyChanged(change)}`);
    }
  }

  onRest(path: PathRecord): void {
    const { name, restsUntil } = path;
    if (!restsUntil) return this.#add("path-tried", path, `${name} is tried again for ${this.#sends}`);
    const seconds = Math.round((restsUntil.getTime() - Date.now()) / 1_000);
    const why = `it holds up more of the ${this.#sends} than it carries`;
    this.#add("path-resting", path, `${name} rests for ${seconds} s: ${why}; other lines carry them`);
  }

  onSubflowLost(path: PathRecord, reason: string): void {
    this.#add("subflow-lost", path, `${path.name} lost one of its connections: ${reason}`);
  }

  #noteUp(path: PathRecord, before: PathState): void {
    if (before === "suspect") this.#add("path-back", path, `${path.name} makes progress again`);
    else if (this.#known.has(path.name)) this.#add("path-back", path, `${path.name} is back`);
    else this.#add("path-up", path, `${path.name} is up`);
    this.#known.add(path.name);
  }

  /** The peer is unreachable when all paths that are not disabled are down. */
  #noteReach(): void {
    const wanted = [...this.#states.values()].filter((state) => state !== "disabled");
    const carries = wanted.some((state) => state === "up" || state === "probation");
    const isUnreachable = wanted.every((state) => state === "down");
    if (!this.#isUnreachable && isUnreachable) {
      this.#isUnreachable = true;
      const why = wanted.length > 0 ? "no line is up" : "every line is disabled";
      const message = `the other gateway cannot be reached: ${why}`;
      this.#log.add("peer-unreachable", message, { peer: this.#peer });
    } else if (this.#isUnreachable && carries) {
      this.#isUnreachable = false;
      this.#log.add("peer-reachable", "the other gateway can be reached again", { peer: this.#peer });
    }
  }

  #add(type: EventType, { name: path }: PathRecord, message: string): void {
    this.#log.add(type, message, { peer: this.#peer, path });
  }
}

function whyChanged({ before, reason, share = 0 }: TierChange): string {
  const percent = `${Math.round(100 * share)} %`;
  switch (reason) {
    case "full":
      return `${before === 0 ? "the active lines were" : `tier ${before} was`} full ${percent} of the time`;
    case "calm":
      return `all together is ${percent} of what the lines before it carry`;
    case "alone":
      return "no line before it makes progress";
    case "back":
      return "a line before it makes progress again";
  }
}
