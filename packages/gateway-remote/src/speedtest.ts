import {
  MAX_SPEEDTEST_MS,
  MAX_SPEEDTEST_REQUEST,
  parseSpeedtestRequest,
  type SessionDriver,
  type SpeedtestVerb,
  type StreamHandler,
  writeZeros,
} from "@hawser/gateway-kit";
import { MAX_SPEEDTEST_BYTES } from "@hawser/gateway-kit/config";
import { StreamCode } from "@hawser/shared-protocol";

/** The longest echo, bytes: more than any speed test asks for. */
const MAX_ECHO = 64_000;

/**
 * The remote end of one stream of a speed test. It sends zeros, discards bytes, or echoes them. Its bytes and its time
 * are bounded, whatever the local gateway asks for.
 */
export class SpeedtestStream implements StreamHandler {
  readonly isOwn = true;
  readonly #driver: SessionDriver;
  readonly #stream: number;
  readonly #verb: SpeedtestVerb;
  readonly #onOver: () => void;
  readonly #timer: NodeJS.Timeout;
  /** The part of the request that has come so far; undefined once the request is complete. */
  #line: Buffer | undefined = Buffer.alloc(0);
  #left: number;

  constructor(driver: SessionDriver, stream: number, verb: SpeedtestVerb, onOver: () => void) {
    this.#driver = driver;
    this.#stream = stream;
    this.#verb = verb;
    this.#onOver = onOver;
    this.#left = verb === "echo" ? MAX_ECHO : MAX_SPEEDTEST_BYTES;
    this.#timer = setTimeout(() => this.#fail(StreamCode.timeout), MAX_SPEEDTEST_MS);
    driver.adopt(stream, this);
    driver.accept(stream, { host: "", port: 0 });
  }

  handleOpened(): void {}

  handleReadable(): void {
    const { pieces, length, end } = this.#driver.session.read(this.#stream);
    this.#driver.consume(this.#stream, length);
    if (this.#line) this.#handleRequest(Buffer.concat(pieces));
    else this.#handleData(pieces, length);
    if (end) this.#driver.end(this.#stream);
  }

  #handleRequest(bytes: Buffer): void {
    const line = Buffer.concat([this.#line ?? Buffer.alloc(0), bytes]);
    const at = line.indexOf("\n");
    if (at < 0 && line.length < MAX_SPEEDTEST_REQUEST) {
      this.#line = line;
      return;
    }
    const request = at < 0 ? undefined : parseSpeedtestRequest(line.toString("utf8", 0, at));
    if (!request) return this.#fail(StreamCode.notAllowed);
    this.#line = undefined;
    this.#driver.restrict(this.#stream, request.paths);
    if (this.#verb === "down") this.handleWritable();
    else if (line.length > at + 1) this.#handleData([line.subarray(at + 1)], line.length - at - 1);
  }

  #handleData(pieces: readonly Uint8Array[], length: number): void {
    this.#left -= length;
    if (this.#verb === "down" || this.#left < 0) return this.#fail(StreamCode.overloaded);
    if (this.#verb === "echo")
      for (const piece of pieces) this.#driver.write(this.#stream, Buffer.from(piece));
  }

  handleWritable(): void {
    if (this.#verb !== "down" || this.#line) return;
    this.#left -= writeZeros(this.#driver, this.#stream, this.#left);
    if (this.#left === 0) this.#driver.end(this.#stream);
  }

  #fail(code: StreamCode): void {
    this.#driver.reset(this.#stream, code);
    this.#finish();
  }

  handleReset(): void {
    this.#finish();
  }

  handleClosed(): void {
    this.#finish();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#onOver();
  }
}
