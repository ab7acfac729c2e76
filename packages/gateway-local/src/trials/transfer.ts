import { type SessionDriver, writeZeros } from "@hawser/gateway-kit";
import { GoodputMeter } from "./goodput-meter.ts";
import { SpeedtestStream } from "./speedtest-stream.ts";
import { TrialError } from "./trial-error.ts";

/** How often the count of carried bytes is sampled, ms. */
const LOOK_MS = 100;
/** When nothing has arrived over a line for this long, the transfer has failed, ms. */
const PATIENCE_MS = 5_000;

export interface TransferOptions {
  readonly direction: "down" | "up";
  /** The paths that carry the transfer. */
  readonly paths: readonly string[];
  /** How long it lasts at most, ms from the first byte on. */
  readonly ms: number;
  /** How many bytes it takes at most, besides those under way at that moment. */
  readonly bytes: number;
  readonly signal: AbortSignal;
  /** Called ten times a second: ms since the first byte, bytes, bits per second of late. */
  readonly onProgress: (ms: number, bytes: number, bps: number) => void;
}

/** The rate of a transfer in bits of payload per second, without its start. @throws TrialError */
export function measureTransfer(driver: SessionDriver, options: TransferOptions): Promise<number> {
  const { direction, paths, ms, bytes, signal, onProgress } = options;
  const meter = new GoodputMeter();
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    let carried = 0;
    const stream = new SpeedtestStream(driver, direction, paths, {
      onOpened: () => direction === "up" && fill(),
      onWritable: () => direction === "up" && fill(),
      onBytes: (length) => {
        carried += length;
      },
      onFailed: (error) => finish(() => reject(error)),
    });
    const requested = stream.driver.session.stream(stream.id)?.sendBuffer.end ?? 0;
    let written = 0;
    const fill = (): void => {
      written += writeZeros(driver, stream.id, bytes - written);
    };
    const look = (): void => {
      const now = performance.now();
      if (direction === "up") carried = Math.max(0, stream.acknowledged - requested);
      if (carried > 0) meter.note(carried, now);
      else if (now - begun > PATIENCE_MS)
        return finish(() => reject(new TrialError(`nothing was carried in ${PATIENCE_MS / 1_000} s`)));
      onProgress(meter.elapsed, carried, meter.recent);
      if (meter.elapsed < ms && carried < bytes) return;
      // All bytes came within one sample: there is no second sample to compute a rate from.
      if (meter.mean > 0) finish(() => resolve(meter.mean));
      else
        finish(() =>
          reject(new TrialError(`too few bytes to tell a rate (${carried} came at once); ask for more`)),
        );
    };
    const timer = setInterval(look, LOOK_MS);
    const abort = (): void => finish(() => reject(new TrialError("the test was ended")));
    const finish = (settle: () => void): void => {
      clearInterval(timer);
      signal.removeEventListener("abort", abort);
      stream.close();
      settle();
    };
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
