import { Socket, type SocketConstructorOpts } from "node:net";
import { libc } from "../libc.ts";
import { socketFd } from "../node-internals.ts";
import { errnoName, errnoText, SystemError } from "../system-error.ts";
import type { BufferPool } from "./buffer-pool.ts";

/**
 * Reading plain sockets into pooled buffers, by the `onread` option of net.Socket.
 *
 * A socket with that option behaves as follows (Node 24; the tests hold it).
 * - 'data' and 'readable' never come. Errors and 'close' come as on any socket.
 * - 'end' comes although nobody calls read(). It comes while paused, too, if the FIN had arrived before.
 * - `pause()` and `resume()` stop and start the reading at once: after `pause()` no byte is delivered.
 * - With `allowHalfOpen` the writable side stays open after 'end'.
 */

export interface ReadSink {
  /**
   * Takes `length` bytes from the start of `buffer`, in the connection's order. The sink owns `buffer` from here on, and
   * gives it to `pool.release` when it is done with it. Small buffers are not the pool's; it ignores them.
   * @returns false to pause the socket until `socket.resume()`
   */
  (buffer: Buffer, length: number): boolean;
}

/** Where a socket's bytes go. */
export interface PooledReaderOptions {
  readonly pool: BufferPool;
  readonly sink: ReadSink;
}

/**
 * What is shorter than a buffer divided by this gets a buffer of its own length: else each keystroke would hold 64 KiB.
 * That buffer is not a part of Node's pool of small buffers, which it would keep alive as a whole.
 */
const SMALL = 4;

/**
 * How many bytes one read takes at most. A relay of one hop cost 0.57 CPU-seconds per GB with 64 KiB, 0.41 with 256 KiB
 * and 0.28 with 1 MiB (x86-64, Linux 6.18). 1 MiB would fill the caches of small machines.
 */
export const SHARED_READ_BYTES = 256 * 1024;

/**
 * All sockets read into this one buffer, and the bytes are copied to pooled buffers. So an idle socket holds no memory.
 * The copy costs at most 0.1 CPU-seconds per GB, as the buffer stays in the cache.
 */
let sharedBuffer: Buffer | undefined;

/**
 * The `onread` option for one socket, for `net.connect` and `createPinnedSocket`. Accepted sockets get it by
 * `adoptAccepted`.
 */
export function pooledOnRead({ pool, sink }: PooledReaderOptions): SocketConstructorOpts["onread"] {
  sharedBuffer ??= Buffer.allocUnsafeSlow(SHARED_READ_BYTES);
  // Sockets can share it: the kernel fills it and the callback empties it without a return to the event loop.
  return { buffer: sharedBuffer, callback: (length, view) => copyOut(view, length, pool, sink) };
}

function copyOut(from: Uint8Array, length: number, pool: BufferPool, sink: ReadSink): boolean {
  const most = pool.bufferBytes;
  let goOn = true;
  for (let offset = 0; offset < length; offset += most) {
    const size = Math.min(most, length - offset);
    const buffer = size < most / SMALL ? Buffer.allocUnsafeSlow(size) : pool.acquire();
    buffer.set(from.subarray(offset, offset + size));
    // All that was read is delivered, even if the sink asks for a pause in between.
    if (!sink(buffer, size)) goOn = false;
  }
  return goOn;
}

/**
 * Makes of an accepted socket one that reads with `options`. Node takes `onread` only in the constructor, which
 * net.Server calls itself. So the descriptor is duplicated for a new socket, and the accepted one is destroyed; the
 * connection goes on.
 *
 * The server must have `pauseOnConnect: true`: what it had read already would be lost. It does not count the connection
 * any more: `server.close()` does not wait for it, and `maxConnections` leaves it out. The new socket allows half-open
 * connections and reads at once. To have it wait, call `pause()` in the same turn.
 *
 * @throws SystemError EBADF when the connection has ended, EMFILE. `accepted` is destroyed then, too.
 */
export function adoptAccepted(accepted: Socket, options: PooledReaderOptions): Socket {
  const c = libc();
  const fd = c.dup(socketFd(accepted) ?? -1);
  const errno = fd < 0 ? c.errno() : 0;
  // An error of the connection is reported by the new socket.
  accepted.on("error", () => {}).destroy();
  if (fd < 0) throw new SystemError(errnoName(errno), errno, "fcntl", `cannot adopt: ${errnoText(errno)}`);
  try {
    return new Socket({ fd, allowHalfOpen: true, onread: pooledOnRead(options) });
  } catch (error) {
    c.close(fd);
    throw error;
  }
}
