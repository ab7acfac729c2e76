import { fstatSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { libc, socketFd } from "@hawser/linux-sockets";
import type { Endpoint } from "@hawser/shared-protocol";
import { formatEndpoint } from "@hawser/shared-protocol";
import { CodedError, ErrorCode, systemCode } from "./config/errors.ts";
import { type DescriptorUse, descriptorLimit, descriptorsShort } from "./limits/descriptors.ts";
import { LimitedLog } from "./limits/limited-log.ts";
import type { Logger } from "./log.ts";

/**
 * How many connections may wait to be accepted: as many as arrive in some seconds at 600 a second, in which a busy machine
 * may not come to accept them. When more wait, the kernel drops all new SYNs. The kernel's own limit, net.core.somaxconn,
 * is as high by default.
 */
const BACKLOG = 4_096;
/** How long after it ran out of descriptors a listener looks for free ones again, milliseconds. */
const RETRY_MS = 100;

export interface ListenOptions {
  /** The configuration key that asks for the listener, for error messages. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** The IPv6 listener takes no IPv4 connections: another listener has them on the same port. */
  readonly ipv6Only?: boolean;
  /** Default `flow`. */
  readonly use?: DescriptorUse;
}

/**
 * A listener at each endpoint, as by `listen`. Where an IPv4 endpoint has the same port as `[::]`, the IPv6 listener takes
 * no IPv4 connections.
 * @throws CodedError LISTEN_FAILED
 */
export async function listenAll(
  { key, endpoints, use }: { readonly endpoints: readonly Endpoint[] } & Pick<ListenOptions, "key" | "use">,
  logger: Logger,
  onConnection: (socket: Socket) => void,
): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const [i, { host, port }] of endpoints.entries()) {
    const ipv6Only =
      host.includes(":") && endpoints.some((other) => other.port === port && !other.host.includes(":"));
    const own = endpoints.length > 1 ? `${key}[${i}]` : key;
    const options = { key: own, host, port, ipv6Only, ...(use && { use }) };
    listeners.push(await listen(options, logger, onConnection));
  }
  return listeners;
}

/**
 * A TCP listener. Accepted sockets are paused, with nothing read from them, and half-open: each direction ends on its own.
 * @throws CodedError LISTEN_FAILED, with the mend
 */
export async function listen(
  options: ListenOptions,
  logger: Logger,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const listener = new Listener(options, logger, onConnection);
  await listener.start();
  return listener;
}

/**
 * A listener that pauses while descriptors are short. It closes Node's server, but keeps a duplicate of the listening
 * socket: new connections wait in the kernel's backlog until it listens again.
 */
export class Listener {
  readonly #options: ListenOptions;
  readonly #use: DescriptorUse;
  readonly #log: LimitedLog;
  readonly #server: Server;
  /** The duplicate of the listening socket; -1 when the process has no limit of descriptors. */
  #spare = -1;
  #retry: NodeJS.Timeout | undefined;
  #port = 0;

  constructor(options: ListenOptions, logger: Logger, onConnection: (socket: Socket) => void) {
    this.#options = options;
    this.#use = options.use ?? "flow";
    this.#log = new LimitedLog(logger);
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      if (descriptorsShort(this.#use)) this.#backOff();
      onConnection(socket);
    });
  }

  /** The port in use: the one that the kernel chose when port 0 was asked for. */
  get port(): number {
    return this.#port;
  }

  /** @throws CodedError LISTEN_FAILED */
  async start(): Promise<void> {
    const { host, port, ipv6Only = false } = this.#options;
    const server = this.#server;
    await new Promise<void>((done, reject) => {
      server.once("error", (error) => reject(listenError(this.#options, error)));
      server.listen({ host, port, ipv6Only, backlog: BACKLOG }, done);
    });
    server.removeAllListeners("error");
    server.on("error", (error) => this.#backOff(error));
    this.#port = (server.address() as AddressInfo).port;
    if (descriptorLimit() !== Number.POSITIVE_INFINITY) this.#spare = libc().dup(socketFd(server) ?? -1);
  }

  /** Accepts no more connections. Those that were accepted stay open. */
  close(): void {
    clearInterval(this.#retry);
    this.#server.close();
    if (this.#spare >= 0) libc().close(this.#spare);
    this.#spare = -1;
  }

  /** Pauses after an error (ENFILE: the limit of the whole machine), or when this use has no descriptor left. */
  #backOff(error?: Error): void {
    const fields = { listener: this.#options.key, limit: descriptorLimit(), err: error };
    const message =
      "descriptors run short (LimitNOFILE, ulimit -n): new connections wait until some are free";
    this.#log.write("short", "warn", fields, message);
    if (this.#spare < 0 || this.#retry) return;
    this.#server.close();
    this.#retry = setInterval(() => this.#goOn(), RETRY_MS);
  }

  #goOn(): void {
    // A connection takes one descriptor, and adoptAccepted duplicates it.
    if (descriptorsShort(this.#use, 2)) return;
    const fd = libc().dup(this.#spare);
    if (fd < 0) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
    this.#server.listen({ fd, backlog: BACKLOG });
    if (!this.#server.listening) {
      // Node closes a descriptor that cannot listen, but not one that it could not open. The event 'error' follows.
      if (isSameFile(fd, this.#spare)) libc().close(fd);
      return;
    }
    this.#log.write("on", "info", { listener: this.#options.key }, "accepts connections again");
  }
}

/** Whether both descriptors are open and refer to the same file. */
function isSameFile(one: number, other: number): boolean {
  try {
    return fstatSync(one, { bigint: true }).ino === fstatSync(other, { bigint: true }).ino;
  } catch {
    return false;
  }
}

function listenError(options: ListenOptions, error: Error): CodedError {
  const what = `${options.key}: ${whyNotListening(options, error)}`;
  return new CodedError(ErrorCode.listenFailed, what, { cause: error });
}

/** Why a program cannot listen at an endpoint, with the mend, by the error of listen(2) or of the name's resolver. */
export function whyNotListening(endpoint: Endpoint, error: Error): string {
  const where = formatEndpoint(endpoint);
  const unresolved = `${where}: the name does not resolve; write an IP address`;
  const mends: Record<string, string> = {
    EADDRINUSE: `${where} is in use; choose another port or stop the program that has it`,
    EACCES: `no permission to listen on ${where}; ports below 1024 need CAP_NET_BIND_SERVICE`,
    EAFNOSUPPORT: `${where} cannot be, as this machine has no IPv6; ${withoutIpv6(endpoint)}`,
    EADDRNOTAVAIL: `${where} is not an address of this machine; \`ip address\` lists them`,
    ENOTFOUND: unresolved,
    EAI_AGAIN: unresolved,
  };
  return mends[systemCode(error) ?? ""] ?? `cannot listen on ${where}: ${error.message}`;
}

function withoutIpv6({ host, port }: Endpoint): string {
  const other = formatEndpoint({ host: host === "::1" ? "127.0.0.1" : "0.0.0.0", port });
  return `leave it out, or write an IPv4 address, such as "${other}"`;
}
