import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../lab/namespace.ts";
import { start } from "../lab/traffic/run.ts";
import type { TransferResult } from "../lab/traffic/tasks.ts";
import type { Sample } from "./statistics.ts";

const REPORT_MS = 10;

/** A download that is looked at every 10 ms while something is done to the lines. */
export interface Watched {
  readonly samples: readonly Sample[];
  /** The download's own clock. */
  nowMs(): number;
  /** Resolves when its clock shows that time. */
  at(ms: number): Promise<void>;
  /** Resolves when it is over, with what came. */
  readonly over: Promise<TransferResult>;
  /** Calls it off. */
  kill(): Promise<void>;
}

export async function watchDownload(
  host: Host,
  target: { readonly host: string; readonly port: number },
  seconds: number,
): Promise<Watched> {
  const samples: Sample[] = [];
  // The report that was fastest to arrive tells best how far the two clocks are apart.
  let offset = Infinity;
  const begun = Promise.withResolvers<void>();
  const task = { op: "download", ...target, seconds, check: false, progressMs: REPORT_MS } as const;
  const { result, process } = start(host, task, ({ ms, bytes }) => {
    samples.push({ ms, bytes });
    offset = Math.min(offset, performance.now() - ms);
    if (bytes > 0) begun.resolve();
  });
  const over = result.then((transfer) => {
    const { error } = transfer;
    begun.reject(new Error(error ?? "the download ended before its first byte"));
    if (error !== null) throw new Error(error);
    return transfer;
  });
  over.catch((error: unknown) => begun.reject(error));
  await begun.promise;
  const nowMs = (): number => performance.now() - offset;
  return {
    samples,
    nowMs,
    at: (ms) => sleep(Math.max(0, ms - nowMs())),
    over,
    kill: async () => {
      process.kill("SIGKILL");
      await over.catch(() => {});
    },
  };
}
