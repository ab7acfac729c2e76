/** A subflow and a TLS socket that do as a test says. */

import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { Subflow } from "@hawser/multipath-engine";
import { SubflowConnection, type SubflowConnectionEvents } from "./subflow-connection.ts";

export const FAST = 65_536;
/** With 32 bytes for other frames, records of 1 432. */
export const THIN = 1_400;

/** A subflow whose line is as a test says. */
export class Line extends Subflow {
  bytesOfChunk = FAST;
  bytesOfCap = 0;

  constructor() {
    super({ id: 0, path: "adsl1", role: "active", side: "local" }, 0);
    Object.defineProperty(this.model, "cap", { get: () => this.bytesOfCap });
  }

  override get chunk(): number {
    return this.bytesOfChunk;
  }
}

/** What would be TLS: it keeps what each write was given, and takes the next only when it is told to. */
export class FakeTls extends Duplex {
  /** A list for each write, with the lengths of its buffers. */
  readonly writes: number[][] = [];
  #done: (() => void) | undefined;
  isSlow = false;

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take([bytes.length], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk.length),
      done,
    );
  }

  #take(lengths: number[], done: () => void): void {
    this.writes.push(lengths);
    if (this.isSlow) this.#done = done;
    else done();
  }

  /** The write under way is through. */
  goOn(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}

export interface Rig {
  readonly line: Line;
  readonly tls: FakeTls;
  readonly connection: SubflowConnection;
  readonly told: string[];
}

export function rig(chunk = FAST): Rig {
  const line = new Line();
  line.bytesOfChunk = chunk;
  const tls = new FakeTls();
  const told: string[] = [];
  const connection = new SubflowConnection(line, tls as unknown as TLSSocket, tellTo(told));
  connection.handleTurn(0);
  return { line, tls, connection, told };
}

export function tellTo(told: string[]): SubflowConnectionEvents {
  return {
    onBytes: (bytes) => void told.push(`${bytes.length} bytes`),
    onDrain: () => void told.push("drain"),
    onLost: (error) => void told.push(`lost: ${error?.message}`),
  };
}

export const buffers = (...lengths: readonly number[]): Buffer[] =>
  lengths.map((length) => Buffer.alloc(length));
