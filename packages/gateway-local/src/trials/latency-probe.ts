import type { SessionDriver } from "@hawser/gateway-kit";
import { SpeedtestStream } from "./speedtest-stream.ts";

const PERIOD_MS = 100;
/** The bytes that go back and forth. */
const PROBE = Buffer.from("hawser\r\n");

/** Measures round trips of a few bytes to the remote gateway and back, as a flow beside the data has them. */
export class LatencyProbe {
  readonly #stream: SpeedtestStream;
  readonly #timer: NodeJS.Timeout;
  #sentAt: number | undefined;
  #awaited = 0;
  #trips: number[] = [];

  /** Goes over these paths alone. @throws TrialError */
  constructor(driver: SessionDriver, paths: readonly string[]) {
    this.#stream = new SpeedtestStream(driver, "echo", paths, {
      onBytes: (length) => this.#handleEcho(length),
      // Rates are measured all the same.
      onFailed: () => clearInterval(this.#timer),
    });
    this.#timer = setInterval(() => this.#send(), PERIOD_MS);
  }

  #send(): void {
    if (this.#sentAt !== undefined) return;
    this.#sentAt = performance.now();
    this.#awaited = PROBE.length;
    this.#stream.driver.write(this.#stream.id, PROBE);
  }

  #handleEcho(length: number): void {
    this.#awaited -= length;
    if (this.#sentAt === undefined || this.#awaited > 0) return;
    this.#trips.push(performance.now() - this.#sentAt);
    this.#sentAt = undefined;
  }

  /** The median of the round trips since the last call, ms; null when nothing came back. */
  take(): number | null {
    const sorted = this.#trips.sort((a, b) => a - b);
    this.#trips = [];
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.close();
  }
}
