import { setTimeout as sleep } from "node:timers/promises";
import type { SessionDriver } from "@hawser/gateway-kit";
import type { SpeedProgress, SpeedResult } from "@hawser/status-api/model";
import { LatencyProbe } from "./latency-probe.ts";
import { measureTransfer } from "./transfer.ts";
import { TrialError } from "./trial-error.ts";

/** How long round trips are measured on an idle line, ms. */
const IDLE_MS = 600;
/** The longest wait until data of the last transfer has left the queues of the lines, ms. */
const SETTLE_MS = 300;
const SETTLE_LIMIT_MS = 3_000;

export interface SpeedtestPlan {
  /** Paths of which each is measured alone. */
  readonly alone: readonly string[];
  /** Paths that are measured together after that. With one or none there is nothing to add up. */
  readonly together: readonly string[];
  /** How long each direction is measured, ms. */
  readonly ms: number;
  /** The most bytes that one direction may take. */
  readonly bytes: number;
}

/**
 * Measures one line after the other, then all together. An abort of `signal` ends it; what was measured by then is
 * returned.
 */
export async function speedtest(
  driver: SessionDriver,
  plan: SpeedtestPlan,
  signal: AbortSignal,
  onProgress: (progress: SpeedProgress) => void,
): Promise<readonly SpeedResult[]> {
  const results: SpeedResult[] = [];
  const rounds = plan.alone.map((name) => ({ name: name as string | null, paths: [name] }));
  if (plan.together.length > 1) rounds.push({ name: null, paths: [...plan.together] });
  for (const [round, { name, paths }] of rounds.entries()) {
    if (signal.aborted) break;
    const tell = (progress: RoundProgress): void =>
      onProgress({ ...progress, name, round, rounds: rounds.length });
    results.push(await measureRound(driver, name, paths, plan, signal, tell));
  }
  return results;
}

type RoundProgress = Omit<SpeedProgress, "name" | "round" | "rounds">;

async function measureRound(
  driver: SessionDriver,
  name: string | null,
  paths: readonly string[],
  { ms, bytes }: SpeedtestPlan,
  signal: AbortSignal,
  onProgress: (progress: RoundProgress) => void,
): Promise<SpeedResult> {
  const result: { -readonly [Key in keyof SpeedResult]: SpeedResult[Key] } = {
    name,
    downBps: null,
    upBps: null,
    latencyMs: null,
    downLatencyMs: null,
    upLatencyMs: null,
    error: null,
  };
  const tell = (phase: SpeedProgress["phase"], share: number, bps: number, carried: number): void =>
    onProgress({ phase, share, bps, bytes: carried, result: { ...result } });
  let probe: LatencyProbe | undefined;
  try {
    probe = new LatencyProbe(driver, paths);
    tell("latency", 0, 0, 0);
    await sleep(IDLE_MS, undefined, { signal }).catch(() => undefined);
    result.latencyMs = probe.take();
    for (const direction of ["down", "up"] as const) {
      result[`${direction}Bps`] = await measureTransfer(driver, {
        direction,
        paths,
        ms,
        bytes,
        signal,
        onProgress: (elapsed, carried, bps) =>
          tell(direction, Math.min(1, Math.max(elapsed / ms, carried / bytes)), bps, carried),
      });
      result[`${direction}LatencyMs`] = probe.take();
      await settle(driver, signal);
      probe.take();
    }
  } catch (error) {
    if (!(error instanceof TrialError)) throw error;
    result.error = error.message;
  } finally {
    probe?.close();
  }
  tell("up", 1, result.upBps ?? 0, 0);
  return result;
}

/** Waits until the data that the transfer has left on the lines has arrived. */
async function settle(driver: SessionDriver, signal: AbortSignal): Promise<void> {
  const from = performance.now();
  const isBusy = (): boolean => [...driver.session.subflows].some((line) => line.unackedBytes > line.chunk);
  do await sleep(SETTLE_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted && isBusy() && performance.now() - from < SETTLE_LIMIT_MS);
}
