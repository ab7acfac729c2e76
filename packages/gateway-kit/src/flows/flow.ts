import type { Socket } from "node:net";
import type { PathShare, StreamRequest } from "@hawser/multipath-engine";
import { type Endpoint, StreamCode } from "@hawser/shared-protocol";
import type { SessionDriver } from "../session/session-driver.ts";
import type { StreamHandler } from "../session/stream-handlers.ts";
import { acknowledgedBytes, whenAcknowledged, whenStill } from "./reset-patience.ts";
import { forgetUnread, watchUnread } from "./unread-sockets.ts";

/** So many writes wait for the socket at most. What comes then stays in the stream, which gathers small pieces. */
const MAX_WRITES = 16;

/** What the owner of a flow is told. */
export interface FlowEvents {
  /** Local: the destination was reached. */
  onOpened?(bound: Endpoint): void;
  /** The stream was reset by the peer before the socket was touched. True when the socket's end is taken care of. */
  onReset?(code: StreamCode): boolean;
  /** The flow is over. Called once. */
  onOver?(): void;
}

/**
 * One application connection joined to one stream. Half-closes pass through each way and stay for as long as the other
 * direction wants; a reset on either side becomes a reset on the other, behind what came before it; each side's backpressure reaches the other
 * through the stream's credit.
 *
 * ```
 *  socket --handleBytes--> stream.write ... stream.read --handleReadable--> socket
 * ```
 */
export class Flow implements StreamHandler {
  readonly stream: number;
  /** Its session and its stream: of no other flow, now or later. A flow may outlive its session for a while. */
  readonly id: string;
  /** What went over which path. */
  readonly shares: ReadonlyMap<string, PathShare>;
  readonly request: StreamRequest;
  /** performance.now() at its start: the time of day may be set meanwhile. */
  readonly openedAt = performance.now();
  readonly #driver: SessionDriver;
  readonly #events: FlowEvents;
  #socket: Socket;
  #over = false;
  /** Bytes given to the socket that it has not taken yet; consumed once it has. */
  #writing = 0;
  /** In so many writes. */
  #writes = 0;
  /** When the socket took the last one, or was given one while it had none, performance.now(). */
  #movedAt = 0;
  #ending = false;
  /** The stream was reset: ends the wait for a reader that takes nothing more. */
  #giveUpWhenStill: (() => void) | undefined;
  /** The stream is over; the socket may still have to take what came last. */
  #streamClosed = false;

  constructor(
    driver: SessionDriver,
    stream: number,
    request: StreamRequest,
    socket: Socket,
    events: FlowEvents = {},
  ) {
    this.#driver = driver;
    this.stream = stream;
    this.id = `${driver.name}-${stream}`;
    this.shares = driver.session.stream(stream)?.shares ?? new Map();
    this.request = request;
    this.#socket = socket;
    this.#events = events;
    this.#listen(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** The connection takes the place of what stood for it while it was dialled. */
  protected handleConnected(socket: Socket): void {
    this.#socket.removeAllListeners();
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on("end", () => this.#driver.end(this.stream));
    socket.on("error", () => this.#fail());
    socket.on("finish", () => this.#finishIfDone());
    socket.on("close", () => this.#handleSocketClosed());
  }

  // --- socket -> stream ---

  /** The socket's reader has bytes. False asks it to pause; `handleWritable` resumes it. */
  handleBytes(bytes: Buffer, release?: () => void): boolean {
    if (this.#over) {
      release?.();
      return true;
    }
    const goOn = this.#driver.write(this.stream, bytes, release);
    if (!goOn) watchUnread(this.socket, () => this.#fail());
    return goOn;
  }

  handleWritable(): void {
    forgetUnread(this.socket);
    this.socket.resume();
  }

  // --- stream -> socket ---

  handleOpened(bound: Endpoint): void {
    this.#events.onOpened?.(bound);
  }

  handleReadable(): void {
    if (this.#writes === MAX_WRITES) return;
    const { pieces, length, end } = this.#driver.session.read(this.stream);
    if (length > 0) this.#write(pieces as Buffer[], length);
    if (end && !this.#ending) {
      this.#ending = true;
      this.socket.end();
    }
  }

  /** One gathered write; what the socket has taken is consumed and moves the stream's credit. */
  #write(pieces: readonly Buffer[], length: number): void {
    if (this.#writes === 0) this.#movedAt = performance.now();
    this.#writing += length;
    this.#writes++;
    const taken = (error: Error | null | undefined): void => {
      this.#writing -= length;
      this.#movedAt = performance.now();
      const hasWaited = this.#writes-- === MAX_WRITES;
      if (error || this.#over) return;
      this.#driver.consume(this.stream, length);
      if (hasWaited) this.handleReadable();
    };
    const last = pieces.length - 1;
    if (last > 0) this.socket.cork();
    for (let i = 0; i < last; i++) this.socket.write(pieces[i] as Buffer);
    this.socket.write(pieces[last] as Buffer, taken);
    if (last > 0) this.socket.uncork();
  }

  // --- ends ---

  handleResetting(): void {
    this.#giveUpWhenStill ??= whenStill(
      () => acknowledgedBytes(this.socket),
      () => this.abort(StreamCode.reset),
      this.#writes > 0 ? performance.now() - this.#movedAt : 0,
    );
  }

  handleReset(code: StreamCode): void {
    if (this.#events.onReset?.(code)) return this.#finish();
    if (code !== StreamCode.reset || this.socket.pending) return this.#abort();
    // The socket has taken all that came; a reset would empty the kernel's queue.
    this.handleResetting();
    whenAcknowledged(this.socket, () => this.#abort());
  }

  handleClosed(): void {
    this.#streamClosed = true;
    this.#finishIfDone();
  }

  /** Ends the flow from this side: the peer is told `code`, the application gets a reset. */
  abort(code: StreamCode): void {
    if (this.#over) return;
    this.#driver.reset(this.stream, code);
    this.#abort();
  }

  #abort(): void {
    if (this.#over) return;
    this.#finish();
    // There is nothing to reset while it is being dialled.
    if (this.socket.pending) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** The application reset its connection, or it broke. */
  #fail(): void {
    if (this.#over) return;
    this.#driver.resetBehind(this.stream, StreamCode.reset);
    this.#finish();
    this.socket.destroy();
  }

  /** The socket is gone; unless both directions had ended, that is a reset. */
  #handleSocketClosed(): void {
    if (this.#over || (this.#ending && this.socket.readableEnded && this.#writing === 0)) return;
    this.#fail();
  }

  #finishIfDone(): void {
    if (this.#streamClosed && this.socket.writableFinished) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#giveUpWhenStill?.();
    forgetUnread(this.socket);
    this.#events.onOver?.();
  }
}
