/** Measurements with connections that carry one byte. */
import { setTimeout as sleep } from "node:timers/promises";
import { dial } from "./dial.ts";
import type { ConnectRateResult, ConnectRateTask, FirstByteResult, FirstByteTask } from "./tasks.ts";

const DEFAULT_TIMEOUT_MS = 15_000;

export async function firstByte(task: FirstByteTask): Promise<FirstByteResult> {
  const { count = 1, pauseMs = 0, timeoutMs = DEFAULT_TIMEOUT_MS } = task;
  const ms: number[] = [];
  let failed = 0;
  for (let index = 0; index < count; index++) {
    if (index > 0) await sleep(pauseMs);
    const taken = await askForOne(task, timeoutMs);
    if (taken === undefined) failed++;
    else ms.push(taken);
  }
  return { ms, p50: percentile(ms, 0.5), p99: percentile(ms, 0.99), failed };
}

/** Milliseconds to the first byte of a fresh connection, or undefined when none came. */
async function askForOne(
  target: FirstByteTask | ConnectRateTask,
  timeoutMs: number,
): Promise<number | undefined> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  const over = new AbortController();
  const receiver = { buffer: Buffer.allocUnsafe(64), onData: () => resolve(performance.now() - started) };
  dial(target, "ONE\n", receiver, over.signal).then(
    (socket) => {
      socket.on("error", () => {});
      socket.once("close", () => resolve(undefined));
    },
    () => resolve(undefined),
  );
  const taken = await promise;
  clearTimeout(timer);
  over.abort();
  return taken;
}

export async function connectRate(task: ConnectRateTask): Promise<ConnectRateResult> {
  const result: ConnectRateResult = { done: 0, failed: 0, perSecond: 0 };
  const started = performance.now();
  const until = started + task.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      if ((await askForOne(task, DEFAULT_TIMEOUT_MS)) === undefined) result.failed++;
      else result.done++;
    }
  };
  await Promise.all(Array.from({ length: task.concurrency ?? 32 }, worker));
  result.perSecond = (result.done * 1000) / (performance.now() - started);
  return result;
}

/** The least value that the share `rank` of the values does not exceed. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * rank) - 1))] ?? Number.NaN;
}
