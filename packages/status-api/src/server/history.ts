import { everySecond } from "@hawser/gateway-kit";
import { sessionsOf } from "../model/report.ts";
import { HISTORY_VALUES } from "../model/values.ts";
import type { History, HistoryValue, PathHistory } from "../schemas/events.ts";
import type { PathStatus, StatusReport } from "../schemas/status.ts";
import type { StatusSource } from "./source.ts";

/** Snapshots kept, one for each second: ten minutes. */
const CAPACITY = 600;
/** Paths whose counters are kept: a peer could think of new names for ever. */
const MAX_PATHS = 64;

type Values = Readonly<Record<HistoryValue, number | null>>;

interface Snapshot {
  readonly uptimeSeconds: number;
  readonly paths: ReadonlyMap<string, Values>;
}

/** Asks the source once a second, for everybody who watches, and remembers. */
export class StatusHistory {
  readonly #source: StatusSource;
  readonly #onError: (error: unknown) => void;
  readonly #snapshots: Snapshot[] = [];
  readonly #listeners = new Set<(report: StatusReport) => void>();
  readonly #end: () => void;

  /** `onError` is told why a snapshot could not be taken. */
  constructor(source: StatusSource, onError: (error: unknown) => void) {
    this.#source = source;
    this.#onError = onError;
    this.#end = everySecond(() => this.#tick());
  }

  /** Calls `listener` with every report from now on; the result ends that. */
  subscribe(listener: (report: StatusReport) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  current(): StatusReport {
    return this.#source.status();
  }

  history(): History {
    const keys = new Set(this.#snapshots.flatMap(({ paths }) => [...paths.keys()]));
    return {
      uptimeSeconds: this.#snapshots.map(({ uptimeSeconds }) => uptimeSeconds),
      paths: [...keys].map((key) => this.#column(key)),
    };
  }

  close(): void {
    this.#end();
  }

  #tick(): void {
    try {
      const report = this.#source.status();
      this.#keep(report);
      for (const listener of this.#listeners) listener(report);
    } catch (error) {
      this.#onError(error);
    }
  }

  #keep(report: StatusReport): void {
    const all = sessionsOf(report).flatMap(({ peer, paths }) => paths.map((path) => ({ peer, path })));
    // A peer that begins another session has two for a moment; the later one counts.
    const paths = new Map(all.slice(0, MAX_PATHS).map(({ peer, path }) => [keyOf(peer, path.name), path]));
    const kept = new Map([...paths].map(([key, path]) => [key, valuesOf(path)]));
    this.#snapshots.push({ uptimeSeconds: report.uptimeSeconds, paths: kept });
    if (this.#snapshots.length > CAPACITY) this.#snapshots.shift();
  }

  #column(key: string): PathHistory {
    const [peer, name] = JSON.parse(key) as [string, string];
    const columns = HISTORY_VALUES.map((kept) => [
      kept,
      this.#snapshots.map(({ paths }) => paths.get(key)?.[kept] ?? null),
    ]);
    return { peer, name, ...(Object.fromEntries(columns) as Record<HistoryValue, (number | null)[]>) };
  }
}

function valuesOf(path: PathStatus): Values {
  return Object.fromEntries(HISTORY_VALUES.map((kept) => [kept, path[kept]])) as Values;
}

function keyOf(peer: string, name: string): string {
  return JSON.stringify([peer, name]);
}
