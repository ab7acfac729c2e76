/**
 * The connection of one line: TLS with a pre-shared key, the handshake that joins a session, and what fits the kernel to the line.
 *
 * ```ts
 * const socket = await clientTls(raw, { identity, psk, servername });
 * const { version, rest } = await joinSession(socket, hello);
 * const connection = new SubflowConnection(subflow, socket, { onBytes, onDrain, onLost });
 * ```
 */

export {
  awaitHello,
  commonVersion,
  JOIN_DEADLINE_MS,
  JoinError,
  joinSession,
  refuse,
  welcome,
} from "./handshake.ts";
export { limitUnsent, SubflowConnection } from "./subflow-connection.ts";
export { clientTls, serverTls } from "./tls/psk.ts";
export { TlsError } from "./tls/tls-error.ts";
