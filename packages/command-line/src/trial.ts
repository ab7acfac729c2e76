/** A trial is something that the gateway does for a while, telling its progress: a drill or a speed test. */

import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";

export interface Trial<Progress> {
  /** Of the API: a POST starts the trial. */
  readonly path: string;
  readonly body: unknown;
  readonly renderProgress: (progress: Progress) => string;
  /** What the user is told after Ctrl-C. */
  readonly whenInterrupted: string;
}

/**
 * Runs a trial to its outcome. On a terminal its progress is one line of stderr. Ctrl-C calls the trial off.
 * @throws CodedError STATUS_UNREACHABLE, STATUS_REFUSED or INTERRUPTED
 */
export async function runTrial<Progress, Outcome>(api: GatewayApi, trial: Trial<Progress>): Promise<Outcome> {
  const line = new ProgressLine();
  const ask = (signal: AbortSignal): Promise<Outcome> =>
    askForTrial(api, trial, (progress) => line.show(trial.renderProgress(progress)), signal);
  try {
    return await untilInterrupted(ask, trial.whenInterrupted);
  } finally {
    line.clear();
  }
}

async function askForTrial<Progress, Outcome>(
  api: GatewayApi,
  { path, body }: Trial<Progress>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  for await (const { type, data } of api.events(path, { method: "POST", body, signal })) {
    if (type === "progress") onProgress(JSON.parse(data) as Progress);
    else if (type === "problem")
      throw new CodedError(ErrorCode.statusRefused, String(JSON.parse(data).detail));
    else return JSON.parse(data) as Outcome;
  }
  throw new CodedError(ErrorCode.statusUnreachable, "the gateway ended before the trial did");
}

/**
 * The signal of `ask` is aborted by Ctrl-C and by signals that ask for the end. @throws CodedError INTERRUPTED, saying
 * `what`
 */
async function untilInterrupted<T>(ask: (signal: AbortSignal) => Promise<T>, what: string): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await ask(end.signal);
  } catch (error) {
    throw end.signal.aborted ? new CodedError(ErrorCode.interrupted, what) : error;
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

/** One line on a terminal's stderr, written over and over. It writes nothing where stderr is no terminal. */
class ProgressLine {
  show(text: string): void {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}
