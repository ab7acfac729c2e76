import type { TLSSocket } from "node:tls";
import type { SlabPool } from "../buffers/slab-pool.ts";

/**
 * Reading from TLS.
 *
 * Node decrypts each record (at most 16 KiB) into memory of its own and emits it as 'data': 0.46 CPU-seconds per GB
 * when the chunks are dropped at once, 0.6 to 0.9 when some tens of megabytes of them wait in a reorder buffer. It
 * reads plain sockets into the caller's buffers (`onread`), but ignores that option when TLS is laid over an existing
 * socket, though the layer below can do it: 0.23 to 0.32 then.
 */

/** @returns false to pause; `socket.resume()` goes on. */
export type TlsSink = (chunk: Buffer) => boolean;

export const TlsReadShape = {
  /** 'data' events: each chunk is its owner's, for as long as wanted. Only public API. */
  events: "events",
  /**
   * Records follow each other in pooled slabs; every chunk must be given to `slabs.release` exactly once. After a
   * `false` up to 64 KiB more may come: what had been read already is decrypted in one go.
   */
  slabs: "slabs",
} as const;

export type TlsReadShape = (typeof TlsReadShape)[keyof typeof TlsReadShape];

/** The longest plaintext of a record (RFC 8446 section 5.1). */
const RECORD_BYTES = 16_384;

/**
 * Starts reading, once per socket and after the handshake. Without `slabs`, or when this Node's internals are not
 * what `slabs` needs, by events.
 * @returns which shape it is
 */
export function readTls(socket: TLSSocket, sink: TlsSink, slabs?: SlabPool): TlsReadShape {
  const hooks = slabs === undefined ? undefined : findHooks(socket);
  if (slabs === undefined || hooks === undefined) {
    socket.on("data", (chunk: Buffer) => {
      if (!sink(chunk)) socket.pause();
    });
    return TlsReadShape.events;
  }
  attachSlabs(socket, hooks, slabs, sink);
  return TlsReadShape.slabs;
}

/**
 * What `onread` consists of inside Node, found the same in 20 and 24: three symbol properties that every net.Socket
 * has (null without `onread`), which lib/internal/stream_base_commons.js asks at each read, and `useUserBuffer` of
 * the handle, which makes the native side read there. Undocumented: it may change with any release. Then the symbols
 * or the method are most likely missing, and reading falls back to events.
 */
interface Hooks {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly next: symbol;
  readonly useUserBuffer: (buffer: Buffer) => void;
}

function findHooks(socket: TLSSocket): Hooks | undefined {
  const named = (description: string): symbol | undefined => {
    const found = Object.getOwnPropertySymbols(socket).filter((symbol) => symbol.description === description);
    const [symbol] = found;
    // Null: there, and not in use.
    return found.length === 1 && symbol !== undefined && property(socket, symbol) === null
      ? symbol
      : undefined;
  };
  const [buffer, callback, next] = [named("kBuffer"), named("kBufferCb"), named("kBufferGen")];
  const handle = property(socket, "_handle") as
    | { useUserBuffer?: (buffer: Buffer) => void }
    | null
    | undefined;
  if (buffer === undefined || callback === undefined || next === undefined) return undefined;
  if (typeof handle?.useUserBuffer !== "function") return undefined;
  return { buffer, callback, next, useUserBuffer: (first) => handle.useUserBuffer?.(first) };
}

function property(socket: TLSSocket, key: string | symbol): unknown {
  return (socket as unknown as Record<string | symbol, unknown>)[key];
}

function attachSlabs(socket: TLSSocket, hooks: Hooks, slabs: SlabPool, sink: TlsSink): void {
  let slab = slabs.open();
  let used = 0;
  const onRecord = (length: number, view: Buffer): boolean => {
    const chunk = view.subarray(0, length);
    slabs.retain(chunk);
    used += length;
    // A record that did not fit would come in two callbacks: correct, but twice the work.
    if (slab.length - used < RECORD_BYTES) {
      slabs.release(slab);
      slab = slabs.open();
      used = 0;
    }
    return sink(chunk);
  };
  // What was decrypted between the handshake and now is in the stream's own queue, and comes first.
  let goOn = true;
  for (let early: unknown = socket.read(); early !== null; early = socket.read()) {
    if (!sink(early as Buffer)) goOn = false;
  }
  const target = socket as unknown as Record<symbol, unknown>;
  target[hooks.buffer] = slab;
  target[hooks.callback] = onRecord;
  target[hooks.next] = () => (used === 0 ? slab : slab.subarray(used));
  hooks.useUserBuffer(slab);
  socket.once("close", () => slabs.release(slab));
  if (goOn) socket.resume();
  else socket.pause();
}
