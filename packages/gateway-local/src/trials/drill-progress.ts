import type { Session } from "@hawser/multipath-engine";
import type { DrillProgress } from "@hawser/status-api/model";
import type { FlowWatch } from "./flow-watch.ts";
import { GoodputMeter } from "./goodput-meter.ts";

/** How often the progress is reported, ms. */
const PERIOD_MS = 200;

/** Tells the progress of a drill several times a second, until `stop`. */
export class DrillTicker {
  readonly #session: Session;
  readonly #watch: FlowWatch;
  readonly #onProgress: (progress: DrillProgress) => void;
  readonly #down = new GoodputMeter();
  readonly #up = new GoodputMeter();
  readonly #timer: NodeJS.Timeout;
  #phase: DrillProgress["phase"] = "before";
  #since = performance.now();

  constructor(session: Session, watch: FlowWatch, onProgress: (progress: DrillProgress) => void) {
    this.#session = session;
    this.#watch = watch;
    this.#onProgress = onProgress;
    this.#tell();
    this.#timer = setInterval(() => this.#tell(), PERIOD_MS);
  }

  enter(phase: DrillProgress["phase"]): void {
    this.#phase = phase;
    this.#since = performance.now();
    this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    const now = performance.now();
    const { sent, received } = this.#session.totals;
    this.#down.note(received, now);
    this.#up.note(sent, now);
    this.#onProgress({
      phase: this.#phase,
      elapsedSeconds: (now - this.#since) / 1_000,
      downBps: this.#down.recent,
      upBps: this.#up.recent,
      longestGapMs: this.#watch.longestGapMs,
    });
  }
}
