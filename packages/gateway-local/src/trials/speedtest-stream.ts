import {
  encodeSpeedtestRequest,
  type SessionDriver,
  SPEEDTEST_HOST,
  SpeedtestVerb,
  type StreamHandler,
} from "@hawser/gateway-kit";
import { StreamCode } from "@hawser/shared-protocol";
import { TrialError } from "./trial-error.ts";

/** What the remote gateway's reason for a reset means for a speed test. */
const REASONS: Readonly<Record<number, string>> = {
  [StreamCode.nameNotFound]: "the remote gateway is of a version without speed tests",
  [StreamCode.notAllowed]: "the remote gateway does not accept the request",
  [StreamCode.overloaded]: "the remote gateway is busy with another speed test, or at a limit",
  [StreamCode.timeout]: "the remote gateway has ended the test: it took too long",
  [StreamCode.shutdown]: "the session has ended",
};

export interface SpeedtestStreamEvents {
  /** The remote gateway has accepted the stream. */
  onOpened?(): void;
  onBytes?(length: number): void;
  onWritable?(): void;
  onFailed(error: TrialError): void;
}

/** The local end of one stream of a speed test. */
export class SpeedtestStream implements StreamHandler {
  readonly isOwn = true;
  readonly driver: SessionDriver;
  readonly id: number;
  readonly #events: SpeedtestStreamEvents;

  /** @throws TrialError when the session takes no more streams */
  constructor(
    driver: SessionDriver,
    verb: SpeedtestVerb,
    paths: readonly string[],
    events: SpeedtestStreamEvents,
  ) {
    this.driver = driver;
    this.#events = events;
    const nobody = { host: "", port: 0 };
    const destination = { host: SPEEDTEST_HOST, port: SpeedtestVerb[verb] };
    const id = driver.open({ kind: "connect", destination, source: nobody });
    if (id === undefined) throw new TrialError("the session takes no more flows at the moment");
    this.id = id;
    driver.adopt(id, this);
    driver.restrict(id, paths);
    driver.write(id, encodeSpeedtestRequest({ paths: [...paths] }));
  }

  /** How many of the written bytes the remote gateway has. */
  get acknowledged(): number {
    return this.driver.session.stream(this.id)?.sendBuffer.ackedTo ?? 0;
  }

  close(): void {
    this.driver.reset(this.id, StreamCode.reset);
  }

  handleOpened(): void {
    this.#events.onOpened?.();
  }

  handleReadable(): void {
    const { length } = this.driver.session.read(this.id);
    if (length === 0) return;
    this.driver.consume(this.id, length);
    this.#events.onBytes?.(length);
  }

  handleWritable(): void {
    this.#events.onWritable?.();
  }

  handleReset(code: StreamCode): void {
    this.#events.onFailed(
      new TrialError(REASONS[code] ?? `the remote gateway has ended the test (code ${code})`),
    );
  }

  handleClosed(): void {
    this.#events.onFailed(new TrialError("the remote gateway has sent all that it may in one test"));
  }
}
