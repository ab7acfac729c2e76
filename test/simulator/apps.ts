import assert from "node:assert/strict";
import { content, isContent, REQUEST } from "@hawser/multipath-engine/testing";
import type { Endpoint, StreamHandler } from "./endpoint.ts";

/** How an application reads. */
export interface ReaderOptions {
  /** Bytes per millisecond; absent: all at once. */
  readonly rate?: number;
}

/** How an application writes: `bytes` in pieces of `piece`. */
export interface WriterOptions {
  readonly bytes: number;
  readonly piece?: number;
}

/** One end of a flow: writes known content, checks what it reads. */
export class App implements StreamHandler {
  readonly endpoint: Endpoint;
  readonly stream: number;
  /** Which content is written, and which expected. */
  readonly writes: number;
  readonly reads: number;
  received = 0;
  written = 0;
  ended = false;
  closed = false;
  resetCode: number | undefined;
  opened = false;
  lent = 0;
  releases = 0;
  firstByteAt: number | undefined;
  lastByteAt = 0;
  endedAt = 0;
  /** Longest time without a byte between the first and the last. */
  longestGap = 0;
  onData: (received: number) => void = () => {};
  onEnd: () => void = () => {};
  onClosed: () => void = () => {};
  onReset: (code: number) => void = () => {};
  #toWrite = 0;
  #piece = 32_768;
  #endAfter = true;
  #readRate: number | undefined;
  #toConsume = 0;
  #stalled = false;
  #consuming = false;

  constructor(endpoint: Endpoint, stream: number) {
    this.endpoint = endpoint;
    this.stream = stream;
    const local = endpoint.side === "local";
    this.writes = 2 * stream + (local ? 0 : 1);
    this.reads = 2 * stream + (local ? 1 : 0);
    endpoint.handlers.set(stream, this);
  }

  // --- writing ---

  /** Writes `bytes` more; ends behind them unless told otherwise. */
  write(options: WriterOptions, end = true): void {
    this.#toWrite += options.bytes;
    this.#piece = options.piece ?? this.#piece;
    this.#endAfter = end;
    this.#pump();
  }

  #pump(): void {
    while (this.#toWrite > 0) {
      const length = Math.min(this.#piece, this.#toWrite);
      // In a buffer of its own, as what is read from a socket: the whole buffer counts as memory.
      const bytes = Buffer.allocUnsafeSlow(length);
      content(this.writes, this.written, length).copy(bytes);
      this.written += length;
      this.#toWrite -= length;
      this.lent++;
      const more = this.endpoint.do((session) => session.write(this.stream, bytes, this.#lend()));
      if (!more) return;
    }
    if (this.#endAfter) this.end();
  }

  /** What gives a buffer back: at most once. */
  #lend(): () => void {
    let released = false;
    return () => {
      assert.equal(released, false, `stream ${this.stream}: a buffer given back twice`);
      released = true;
      this.releases++;
    };
  }

  end(): void {
    this.endpoint.do((session) => session.end(this.stream));
  }

  reset(code = 1): void {
    this.endpoint.handlers.delete(this.stream);
    this.endpoint.do((session) => session.reset(this.stream, code));
  }

  handleWritable(): void {
    this.#pump();
  }

  // --- reading ---

  read(options: ReaderOptions): void {
    this.#readRate = options.rate;
  }

  /** Reads nothing more until `resume`; what has come stays unconsumed. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    this.handleReadable();
    this.#consumeSome();
  }

  handleReadable(): void {
    if (this.#stalled) return;
    const { pieces, length, end } = this.endpoint.session.read(this.stream);
    let total = 0;
    for (const piece of pieces) {
      assert.ok(
        isContent(this.reads, this.received, piece),
        `stream ${this.stream}: wrong bytes at ${this.received}`,
      );
      this.received += piece.length;
      total += piece.length;
    }
    assert.equal(total, length);
    if (length > 0) this.#note(length);
    if (end && !this.ended) {
      this.ended = true;
      this.endedAt = this.endpoint.now;
      this.onEnd();
    }
  }

  #note(length: number): void {
    const now = this.endpoint.now;
    if (this.firstByteAt === undefined) this.firstByteAt = now;
    else this.longestGap = Math.max(this.longestGap, now - this.lastByteAt);
    this.lastByteAt = now;
    this.#toConsume += length;
    if (this.#readRate === undefined) this.#consume(this.#toConsume);
    else this.#consumeSome();
    this.onData(this.received);
  }

  #consume(bytes: number): void {
    this.#toConsume -= bytes;
    this.endpoint.do((session) => session.consume(this.stream, bytes, this.endpoint.now));
  }

  #consumeSome(): void {
    const rate = this.#readRate;
    if (rate === undefined || this.#consuming || this.#toConsume === 0 || this.#stalled) return;
    this.#consuming = true;
    const bytes = Math.min(this.#toConsume, 16_384);
    this.endpoint.clock.after(bytes / rate, () => {
      this.#consuming = false;
      this.#consume(bytes);
      this.#consumeSome();
    });
  }

  // --- ends ---

  handleOpened(): void {
    this.opened = true;
  }

  handleReset(code: number): void {
    this.resetCode = code;
    this.onReset(code);
  }

  handleClosed(): void {
    this.closed = true;
    this.onClosed();
  }
}

/** Opens a flow from the local end. */
export function open(endpoint: Endpoint): App {
  const stream = endpoint.do((session) => session.open(REQUEST, endpoint.now));
  assert.notEqual(stream, undefined, "the session takes no more streams");
  return new App(endpoint, stream as number);
}

/** Has the remote end answer every flow with an application that `serve` prepares. */
export function listen(endpoint: Endpoint, serve: (app: App) => void): Map<number, App> {
  const apps = new Map<number, App>();
  endpoint.onOpen = (stream) => {
    const app = new App(endpoint, stream);
    apps.set(stream, app);
    endpoint.do((session) => session.accept(stream, { host: "192.0.2.7", port: 50_000 }));
    serve(app);
    app.handleReadable();
  };
  return apps;
}
