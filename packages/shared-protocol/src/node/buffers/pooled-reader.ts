import { Socket, type SocketConstructorOpts } from "node:net";
import { libc } from "../sys/libc.ts";
import { socketFd } from "../sys/socket-options.ts";
import { errnoName, errnoText, SystemError } from "../sys/system-error.ts";
import type { BufferPool } from "./buffer-pool.ts";

/**
 * Reading plain sockets into pooled buffers, by the `onread` option of net.Socket.
 *
 * A socket made with it behaves as follows (Node 24; the tests hold it): 'data' and 'readable' never come, 'end'
 * comes although nobody reads, also while paused if the FIN had arrived before; errors and 'close' come as ever;
 * `pause()` and `resume()` stop and start the reading at once, with no byte delivered in between; with
 * `allowHalfOpen` the writable side stays open after 'end'.
 */

export interface ReadSink {
  /**
   * `length` bytes from the start of `buffer`, in order. The callee owns `buffer` from here on, and hands it to
   * `pool.release` when done (also the small ones, which are ignored there).
   * @returns false to pause the socket; `socket.resume()` goes on.
   */
  (buffer: Buffer, length: number): boolean;
}

export const ReadShape = {
  /**
   * All sockets read into one buffer of the process, and what came is copied into pooled buffers. The copy costs
   * 0 to 0.1 CPU-seconds per GB (the buffer stays in the cache), but an idle socket holds no memory: right for many
   * sockets.
   */
  shared: "shared",
  /**
   * Each socket reads into a pooled buffer of its own, and that buffer is handed on. No copy of large reads, but a
   * buffer is bound to each socket, idle or not: right for few sockets with much traffic, with large buffers.
   */
  own: "own",
} as const;

export type ReadShape = (typeof ReadShape)[keyof typeof ReadShape];

export interface PooledReaderOptions {
  readonly pool: BufferPool;
  readonly sink: ReadSink;
  /** Default `shared`. */
  readonly shape?: ReadShape;
}

/** The `onread` option of one socket. */
export interface PooledOnRead extends NonNullable<SocketConstructorOpts["onread"]> {
  /** Gives back the buffer that a socket of the shape `own` was going to read into. Only after its 'close'. */
  release(): void;
}

/**
 * Reads below this part of a buffer are copied to a buffer of their size, or keystrokes would fill the memory. Not to
 * one of Node's small-buffer pool: what it takes would not be known.
 */
const SMALL = 4;

/**
 * The most bytes one read takes in the shape `shared`. Measured on one hop: 0.57 CPU-seconds per GB with 64 KiB,
 * 0.41 with 256 KiB, 0.28 with 1 MiB, where the buffer would fill the caches of small machines.
 */
export const SHARED_READ_BYTES = 256 * 1024;

let sharedBuffer: Buffer | undefined;

/**
 * The `onread` option for one socket: for `net.connect({ onread })`, `createPinnedSocket({ onread })`, or through
 * `adoptAccepted` (which also calls its `release`) for accepted sockets.
 */
export function pooledOnRead(options: PooledReaderOptions): PooledOnRead {
  return options.shape === ReadShape.own ? ownOnRead(options) : sharedOnRead(options);
}

function sharedOnRead({ pool, sink }: PooledReaderOptions): PooledOnRead {
  sharedBuffer ??= Buffer.allocUnsafeSlow(SHARED_READ_BYTES);
  // Safe to share: the kernel fills it and the callback empties it in the same turn of the event loop.
  return {
    buffer: sharedBuffer,
    callback: (length, view) => copyOut(view, length, pool, sink),
    release: () => {},
  };
}

function copyOut(from: Uint8Array, length: number, pool: BufferPool, sink: ReadSink): boolean {
  const most = pool.bufferBytes;
  let goOn = true;
  for (let offset = 0; offset < length; offset += most) {
    const size = Math.min(most, length - offset);
    const buffer = size < most / SMALL ? Buffer.allocUnsafeSlow(size) : pool.acquire();
    buffer.set(from.subarray(offset, offset + size));
    // What was read is delivered, paused or not.
    if (!sink(buffer, size)) goOn = false;
  }
  return goOn;
}

function ownOnRead({ pool, sink }: PooledReaderOptions): PooledOnRead {
  let current: Buffer | undefined;
  return {
    // Node asks for the first buffer when the socket is made, and for the next one after each callback.
    buffer: () => {
      current ??= pool.acquire();
      return current;
    },
    callback: (length) => {
      const buffer = current ?? Buffer.alloc(0);
      if (length >= buffer.length / SMALL) {
        current = undefined;
        return sink(buffer, length);
      }
      const copy = Buffer.allocUnsafeSlow(length);
      copy.set(buffer.subarray(0, length));
      return sink(copy, length);
    },
    release: () => {
      if (current !== undefined) pool.release(current);
      current = undefined;
    },
  };
}

/**
 * Turns an accepted socket into one that reads with `options`: Node honours `onread` only in the constructor, which
 * net.Server calls itself. The descriptor is duplicated into a new socket and the accepted one is destroyed, which
 * does not end the connection.
 *
 * The server must have `pauseOnConnect: true` (else bytes may already be in the accepted socket and are lost) and
 * loses count of the connection: `server.close()` does not wait for it, `maxConnections` does not see it. The new
 * socket is half-open capable and reads at once; `pause()` it in the same turn to have it wait.
 *
 * @throws SystemError EBADF when the connection has gone, EMFILE; `accepted` is destroyed then, too.
 */
export function adoptAccepted(accepted: Socket, options: PooledReaderOptions): Socket {
  const c = libc();
  const fd = c.dup(socketFd(accepted) ?? -1);
  const errno = fd < 0 ? c.errno() : 0;
  // Its error, if any, is that of the connection, which the new socket will report.
  accepted.on("error", () => {}).destroy();
  if (fd < 0) throw new SystemError(errnoName(errno), errno, "fcntl", `cannot adopt: ${errnoText(errno)}`);
  try {
    const onread = pooledOnRead(options);
    return new Socket({ fd, allowHalfOpen: true, onread }).once("close", () => onread.release());
  } catch (error) {
    c.close(fd);
    throw error;
  }
}
