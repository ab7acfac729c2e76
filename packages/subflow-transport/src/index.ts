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
