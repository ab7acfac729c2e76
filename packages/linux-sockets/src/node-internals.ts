import { type Server, Socket, type SocketConstructorOpts } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";

/**
 * All that Hawser takes from Node beyond its documentation. No other file may name Node's private names or undocumented
 * options (test/repository/node-internals.test.ts); what only tests need is in testing.ts.
 *
 * Each function says which name it uses, where it was seen, which documented way could replace it, and what becomes of
 * Hawser without it. "Seen" means: node-internals.test.ts passed with Node 22.22, 24.21 and 26.10, and the source was read.
 *
 * Hawser also relies on behaviour that has no name. node-internals.test.ts holds it:
 *
 * - `onread`: the callback gets the buffer that was passed, filled from its start, and never runs in the constructor.
 *   Returning false stops the reading (buffers/pooled-reader.ts).
 * - `connect()` to an IP literal keeps the descriptor that the socket was made with (pinned-socket.ts).
 * - When 'connect' comes, the descriptor is there and nothing has been read (gateway-kit, prepareApplication).
 * - What was read of a plain socket and put back with `unshift()`, TLS reads first (subflow-transport, client-hello.ts).
 * - One write makes one TLS record up to 16 KiB, and each record arrives as one 'data' event (subflow-transport, key-use.ts).
 */

/**
 * The descriptor under a net.Socket, TLSSocket or listening server. Undefined when it has none: not connecting yet, or
 * destroyed. Never keep the number: after the socket has closed, another connection may have it.
 *
 * - Name: `_handle.fd`. A TLS socket's handle answers with the descriptor of the TCP connection below it.
 * - Seen: Node 22, 24, 26; `fd` is there since Node 0.11.
 * - Instead: `net.BoundSocket.fd()` (since Node 24) tells it, but only before the socket is in use. Otherwise own
 *   accept(2) and socket(2) through koffi, with the number kept beside the socket.
 * - Without it: no socket option can be set and TCP_INFO not be asked. The start stops (platform.ts).
 */
export function socketFd(socket: Socket | Server): number | undefined {
  const handle = (socket as unknown as { _handle?: { fd?: number } | null })._handle;
  const fd = handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/**
 * A socket of a descriptor that is not connected yet; its `connect()` starts the reading. Without the option Node reads
 * at once, which fails with ENOTCONN unless `connect()` follows in the same turn.
 *
 * - Name: the option `manualStart` of net.Socket.
 * - Seen: Node 22, 24, 26; since Node 0.11, for Node's own TLSSocket.
 * - Instead: `new net.Socket({ handle: new net.BoundSocket(...) })` once it can bind to a device before it binds to a port.
 * - Without it: a line that is dialled later than in the turn of its making fails, with ENOTCONN as its error.
 */
export function openUnconnected(fd: number, options: SocketConstructorOpts): Socket {
  return new Socket({ ...options, fd, manualStart: true } as SocketConstructorOpts);
}

/**
 * Whether writes that wait are each passed to TLS alone, so that each makes a record of its own. Usually Node gathers
 * them: all that waits while one is under way becomes one write, with records of 16 KiB.
 *
 * - Name: `_writev`. Streams call it for several chunks, and `_write` for each where there is none.
 * - Seen: Node 22, 24, 26; streams have it since Node 0.11. Node itself sets it to null for stdout on Windows.
 * - Instead: no more than one `write()` at a time, the next in its callback. `setMaxSendFragment()` does not serve:
 *   a size once lowered is not raised again.
 * - Without it: thin lines get long records, which arrive late; no byte is lost. The start stops (platform.ts).
 */
export function setWritesApart(socket: TLSSocket, areApart: boolean): void {
  const stream = socket as { _writev?: unknown };
  if (areApart) stream._writev = null;
  else delete stream._writev;
}

/**
 * Tells of an error of TLS, also after the handshake: a record that cannot be decrypted, an alert. Node leaves the
 * connection open then, and for a socket that `acceptTls` made it emits no 'error'.
 *
 * - Name: the event `_tlsError`.
 * - Seen: Node 22, 24, 26; since Node 0.11.
 * - Instead: 'error' for sockets of `tls.connect()`. For others a `tls.Server` that is given connections by
 *   `emit("connection", socket)`: its sockets emit 'error'.
 * - Without it: a connection that can deliver nothing more stays until the engine finds it dead.
 */
export function onTlsError(secure: TLSSocket, listener: (error: Error) => void): void {
  secure.on("_tlsError", listener);
}

export interface AcceptTlsOptions {
  readonly secureContext: SecureContext;
  /** The key of an identity. Null, where there is none, ends the handshake. */
  readonly pskCallback: (socket: TLSSocket, identity: string) => Buffer | null;
}

/**
 * The server's end of TLS on a connected socket; 'secure' comes after the handshake.
 *
 * - Name: the option `pskCallback` of `new tls.TLSSocket()`, documented for `tls.createServer()` and `tls.connect()`
 *   alone. The event 'secure' is documented since Node 24.13.
 * - Seen: Node 22, 24, 26; the option is there since Node 12.16.
 * - Instead: a `tls.Server` with `pskCallback` that is given connections by `emit("connection", socket)`. It makes a
 *   context of its own.
 * - Without it: no handshake succeeds, as there is neither key nor certificate.
 */
export function acceptTls(raw: Socket, options: AcceptTlsOptions): TLSSocket {
  const { TLSSocket } = tls();
  return new TLSSocket(raw, { ...options, isServer: true } as ConstructorParameters<typeof TLSSocket>[1]);
}

/**
 * What this Node lacks of the above, in words; undefined when all is there. `fd` is a TCP socket that is not connected;
 * it is closed. Only presence is looked at, which takes microseconds; the tests look at behaviour.
 */
export function missingInternals(fd: number): string | undefined {
  const socket = openUnconnected(fd, {});
  const found = socketFd(socket);
  socket.destroy();
  if (found !== fd) return "a socket does not tell its descriptor (_handle.fd)";
  if (!("_writev" in tls().TLSSocket.prototype)) return "writes to TLS cannot be kept apart (_writev)";
  return undefined;
}

/** Loaded at the first use: it takes 30 ms of CPU, and most commands (`check`, `pair`) load this package without TLS. */
function tls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}
