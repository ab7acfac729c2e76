import { Socket, type SocketConstructorOpts } from "node:net";
import { libc } from "../libc.ts";
import { socketFd } from "../node-internals.ts";
import { errnoName, errnoText, SystemError } from "../system-error.ts";
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

export interface PooledReaderOptions {
  readonly pool: BufferPool;
  readonly sink: ReadSink;
}

/**
 * Reads below this part of a buffer are copied to a buffer of their size, or keystrokes would fill the memory. Not to
 * one of Node's small-buffer pool: what it takes would not be known.
 */
const SMALL = 4;

/**
 * The most bytes one read takes. Measured on one hop: 0.57 CPU-seconds per GB with 64 KiB, 0.41 with 256 KiB, 0.28 with
 * 1 MiB, where the buffer would fill the caches of small machines.
 */
export const SHARED_READ_BYTES = 256 * 1024;

/**
 * All sockets read into one buffer of the process, and what came is copied into pooled buffers. The copy costs 0 to 0.1
 * CPU-seconds per GB (the buffer stays in the cache), but an idle socket holds no memory.
 */
let sharedBuffer: Buffer | undefined;

/**
 * The `onread` option for one socket: for `net.connect({ onread })`, `createPinnedSocket({ onread })`, or through
 * `adoptAccepted` for accepted sockets.
 */
export function pooledOnRead({ pool, sink }: PooledReaderOptions): SocketConstructorOpts["onread"] {
  sharedBuffer ??= Buffer.allocUnsafeSlow(SHARED_READ_BYTES);
  // Safe to share: the kernel fills it and the callback empties it in the same turn of the event loop.
  return { buffer: sharedBuffer, callback: (length, view) => copyOut(view, length, pool, sink) };
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
    return new Socket({ fd, allowHalfOpen: true, onread: pooledOnRead(options) });
  } catch (error) {
    c.close(fd);
    throw error;
  }
}
