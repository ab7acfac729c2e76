import { connect, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from "node:net";
import { BufferPool } from "../buffers/buffer-pool.ts";
import { adoptAccepted, type PooledReaderOptions, pooledOnRead } from "../buffers/pooled-reader.ts";
import { claimDescriptor, descriptorsShort } from "../limits/descriptors.ts";
import { type KeepAlive, setKeepAlive, setUrgentInline, socketFd } from "../sys/socket-options.ts";
import { SystemError } from "../sys/system-error.ts";

/** One chunk at high rates is one buffer: MAX_PAYLOAD. */
const BUFFER_BYTES = 65_536;
/** What a busy second leaves behind for the next one; more is given back to the system. */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/**
 * A client's own probes end at the router, so these keep its flow in the tables of firewalls beyond, which forget
 * after a minute or more. Nine minutes of silence are a laptop that sleeps, or a phone out of reach: plain TCP goes on.
 */
const KEEPALIVE: KeepAlive = { idle: 45, interval: 45, probes: 12 };

const pool = new BufferPool({ bufferBytes: BUFFER_BYTES, maxIdleBytes: MAX_IDLE_BYTES });

/** Where to; a name is looked up by `lookup` alone. */
export type DialOptions = TcpNetConnectOpts & { readonly host: string; readonly lookup: LookupFunction };

/** Takes bytes that an application wrote; `release` gives their buffer back. False pauses the socket. */
export type BytesHandler = (bytes: Buffer, release: () => void) => boolean;

/**
 * An accepted connection (from `listen`) whose bytes go to `onBytes`, from pooled buffers. It reads at once.
 * @throws SystemError when the connection has gone meanwhile, or no descriptor is left; `accepted` is closed then.
 */
export function adoptApplication(accepted: Socket, onBytes: BytesHandler): Socket {
  const socket = adoptAccepted(accepted, readerOptions(onBytes));
  prepareApplication(socket);
  return socket;
}

/** How an application's connection is to behave. One that has gone meanwhile tells of it when it is read. */
export function prepareApplication(socket: Socket): void {
  if (socketFd(socket) === undefined) return;
  setUrgentInline(socket);
  setKeepAlive(socket, KEEPALIVE);
}

/**
 * Dials, with bytes to `onBytes` from pooled buffers. Each direction ends on its own. The socket's error is EMFILE when
 * what is left of the descriptors is the gateway's own.
 */
export function dialApplication(options: DialOptions, onBytes: BytesHandler): Socket {
  const { host, lookup } = options;
  if (isIP(host) !== 0 && !claimDescriptor()) return new Socket().destroy(noDescriptor());
  const socket = connect({
    ...options,
    lookup: withDescriptor(lookup),
    allowHalfOpen: true,
    noDelay: true,
    onread: pooledOnRead(readerOptions(onBytes)),
  });
  // With several addresses to try, its descriptor is not known before. Nothing is read before this event.
  return socket.prependListener("connect", () => prepareApplication(socket));
}

/** The socket is made as soon as the name's addresses are known. */
function withDescriptor(lookup: LookupFunction): LookupFunction {
  return (name, options, done) =>
    lookup(name, options, (error, ...addresses) =>
      done(error ?? (descriptorsShort("flow") ? noDescriptor() : null), ...addresses),
    );
}

function noDescriptor(): SystemError {
  return new SystemError("EMFILE", 24, "socket", "no descriptor is left for a flow");
}

function readerOptions(onBytes: BytesHandler): PooledReaderOptions {
  return { pool, sink: (buffer, length) => onBytes(buffer.subarray(0, length), () => pool.release(buffer)) };
}
