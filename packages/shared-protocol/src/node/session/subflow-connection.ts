import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { setNotSentLowat } from "../sys/socket-options.ts";

/** No more is handed to a connection while this much waits in the process. The engine's cap is the real bound. */
const MAX_WAITING = 524_288;
/** Bytes that the kernel may hold unsent: the second guard against a long queue, behind the engine's cap. */
const NOTSENT_LOWAT = 131_072;
/** How long a closed subflow may take to get its CLOSE out, milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Keeps the kernel's send buffer of a subflow's connection short; one that is gone already shows it elsewhere. */
export function limitUnsent(raw: Socket): void {
  try {
    setNotSentLowat(raw, NOTSENT_LOWAT);
  } catch {
    raw.destroy();
  }
}

export interface SubflowConnectionEvents {
  onBytes(bytes: Buffer): void;
  /** More may be written. */
  onDrain(): void;
  /** The connection is gone. Called once. */
  onLost(error: Error | undefined): void;
}

/** One subflow's TLS connection: gathered writes out, bytes in. */
export class SubflowConnection {
  readonly id: number;
  readonly path: string;
  readonly socket: TLSSocket;
  readonly connectedAt = Date.now();
  #error: Error | undefined;
  #closing = false;

  constructor(id: number, path: string, socket: TLSSocket, events: SubflowConnectionEvents) {
    this.id = id;
    this.path = path;
    this.socket = socket;
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("drain", () => events.onDrain());
    socket.on("close", () => events.onLost(this.#error));
    // A peer that ends its direction has gone: subflows have no half-close.
    socket.on("end", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => events.onBytes(bytes));
    socket.resume();
  }

  get takesMore(): boolean {
    return !this.#closing && this.socket.writable && this.socket.writableLength < MAX_WAITING;
  }

  /** Writes the buffers of one turn as one. */
  write(parts: readonly Buffer[]): void {
    if (parts.length === 1) {
      this.socket.write(parts[0] as Buffer);
      return;
    }
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }

  /** Writes the last words, then closes; a line that takes nothing more is cut after a second. */
  close(lastWords: readonly Buffer[] | undefined): void {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.socket.writable) {
      this.socket.destroy();
      return;
    }
    if (lastWords) this.write(lastWords);
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS);
    this.socket.once("close", () => clearTimeout(timer));
  }
}
