import { createServer, type Server, type Socket } from "node:net";
import { formatEndpoint } from "./config/endpoint.ts";
import { CodedError, ErrorCode } from "./config/errors.ts";
import type { Logger } from "./log.ts";

export interface ListenOptions {
  /** The configuration key that asks for it, for error messages. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** Leave IPv4 to another listener of the same port. */
  readonly ipv6Only?: boolean;
}

/**
 * A TCP listener. Sockets come paused: nothing has been read of them; and each direction ends on its own.
 * @throws CodedError LISTEN_FAILED, with the mend
 */
export function listen(
  options: ListenOptions,
  logger: Logger,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, onConnection);
  const { key, host, port, ipv6Only = false } = options;
  return new Promise((done, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(options, error)));
    server.listen({ host, port, ipv6Only, backlog: 1_024 }, () => {
      server.removeAllListeners("error");
      // At the descriptor limit: libuv has closed the connection, so that this does not spin.
      server.on("error", (error) => logger.error({ err: error, key }, "could not accept a connection"));
      done(server);
    });
  });
}

function listenError(options: ListenOptions, error: NodeJS.ErrnoException): CodedError {
  const where = formatEndpoint(options);
  const mends: Record<string, string> = {
    EADDRINUSE: `${where} is in use; choose another port or stop the program that has it`,
    EACCES: `no permission to listen on ${where}; ports below 1024 need CAP_NET_BIND_SERVICE`,
    EADDRNOTAVAIL: `${where} is not an address of this machine; \`ip address\` lists them`,
  };
  const what = mends[error.code ?? ""] ?? `cannot listen on ${where}: ${error.message}`;
  return new CodedError(ErrorCode.listenFailed, `${options.key}: ${what}`, { cause: error });
}
