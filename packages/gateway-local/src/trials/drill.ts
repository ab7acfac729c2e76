import { setTimeout as sleep } from "node:timers/promises";
import type { SessionDriver } from "@hawser/gateway-kit";
import type { Session, SessionTotals, Stream } from "@hawser/multipath-engine";
import type { DrillProgress, DrillReport } from "@hawser/status-api/model";
import type { Path } from "../paths/path.ts";
import { DrillTicker } from "./drill-progress.ts";
import { FlowWatch } from "./flow-watch.ts";

/** How long flows are watched before the path is taken out, to know which ones are active, ms. */
const BEFORE_MS = 1_000;
/** How long the path may take to come back, and how long flows are watched after that, ms. */
const RETURN_MS = 10_000;
const AFTER_MS = 1_000;
const LOOK_MS = 20;

/**
 * Takes a path out as if its interface had gone down. Its connections end, the data that they had under way is sent over
 * other lines, and the path is not dialled for `seconds`. When `signal` is aborted the path is put back at once, and the
 * report covers the time until then.
 */
export async function drill(
  path: Path,
  driver: SessionDriver,
  seconds: number,
  signal: AbortSignal,
  onProgress: (progress: DrillProgress) => void,
): Promise<DrillReport> {
  const { session } = driver;
  const watch = new FlowWatch(session, path.name);
  const ticker = new DrillTicker(session, watch, onProgress);
  try {
    await pause(BEFORE_MS, signal);
    const open = watch.cut();
    const before = { ...session.totals };
    ticker.enter("out");
    const outMs = await takeOut(path, seconds, signal);
    watch.putBack();
    ticker.enter("return");
    const upAfterMs = await comeBack(path, watch, signal);
    const { totals } = session;
    return {
      path: path.name,
      seconds: outMs / 1_000,
      flows: { open: open.length, failed: countFailed(session, open, before) },
      bytes: { sent: totals.sent - before.sent, received: totals.received - before.received },
      longestGapMs: watch.longestGapMs,
      upAfterMs,
      backAfterMs: watch.backAfterMs,
      reinjectedBytes: totals.reinjected - before.reinjected,
    };
  } finally {
    ticker.stop();
    watch.stop();
  }
}

/**
 * Resolves with how long the path was out, ms. After an abort it is put back in the same turn: the gateway may be
 * stopping.
 */
async function takeOut(path: Path, seconds: number, signal: AbortSignal): Promise<number> {
  const from = performance.now();
  const putBack = (): void => path.putBack();
  if (signal.aborted) return 0;
  signal.addEventListener("abort", putBack, { once: true });
  try {
    path.takeOut("taken out by a drill");
    await pause(seconds * 1_000, signal);
  } finally {
    signal.removeEventListener("abort", putBack);
    putBack();
  }
  return performance.now() - from;
}

/**
 * Waits until the path carries bytes of flows or, when no flow is active, could carry them. Resolves with the time it
 * took, ms.
 */
async function comeBack(path: Path, watch: FlowWatch, signal: AbortSignal): Promise<number | null> {
  const from = performance.now();
  let upAfterMs: number | null = null;
  const isBack = (): boolean => upAfterMs !== null && (watch.active === 0 || watch.backAfterMs !== null);
  while (!isBack() && !signal.aborted && performance.now() - from < RETURN_MS) {
    await pause(LOOK_MS, signal);
    const { state } = path.record;
    if (state === "up" || state === "probation") upAfterMs ??= performance.now() - from;
  }
  await pause(AFTER_MS, signal);
  return upAfterMs;
}

/** Flows that were open before and failed since. A flow that an application reset has not failed. */
function countFailed(session: Session, open: readonly Stream[], before: SessionTotals): number {
  const still = new Set(session.streams);
  const cut = open.filter((stream) => !still.has(stream) && !(stream.isReceiveDone && stream.isSendDone));
  return session.isClosed ? cut.length : Math.min(cut.length, session.totals.failed - before.failed);
}

/** Waits; an abort ends the wait early. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
