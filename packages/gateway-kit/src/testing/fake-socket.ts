import { EventEmitter } from "node:events";
import type { TLSSocket } from "node:tls";

/** For tests: the socket of a subflow. What is written is kept, or goes to the other end when `flush` is called. */
export class FakeSocket extends EventEmitter {
  readonly remoteFamily = "IPv4";
  writable = true;
  destroyed = false;
  /** Bytes that were written and not flushed. */
  writableLength = 0;
  /** Gathered writes: what was written while corked counts as one. */
  writes = 0;
  ended = false;
  reading = false;
  peer: FakeSocket | undefined;
  #parts: Buffer[] = [];
  #corked = 0;

  /** As what `SessionDriver.addSubflow` takes. */
  get asTls(): TLSSocket {
    return this as unknown as TLSSocket;
  }

  cork(): void {
    this.#corked++;
    this.writes++;
  }

  uncork(): void {
    this.#corked--;
  }

  write(part: Buffer): boolean {
    if (this.#corked === 0) this.writes++;
    this.#parts.push(part);
    this.writableLength += part.length;
    return true;
  }

  /** What was written so far arrives at the other end, if there is one. Returns it. */
  flush(): Buffer {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.writableLength = 0;
    if (bytes.length > 0) this.peer?.emit("data", bytes);
    return bytes;
  }

  resume(): void {
    this.reading = true;
  }

  pause(): void {
    this.reading = false;
  }

  end(): void {
    this.writable = false;
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.writable = false;
    this.destroyed = true;
    this.emit("close");
  }
}

/** Two sockets, each the other's end. */
export function socketPair(): readonly [FakeSocket, FakeSocket] {
  const [a, b] = [new FakeSocket(), new FakeSocket()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
