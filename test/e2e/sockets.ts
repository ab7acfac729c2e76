/**
 * Sockets of this very process in the namespaces of a house, so that a test has both ends of a flow. A socket belongs
 * to the namespace that its thread is in when the socket is made, and stays there.
 */
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, createServer, isIPv6, type Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { getSystemErrorName } from "node:util";
import { socketFd, tcpInfo } from "@hawser/linux-sockets";
import { openUnconnected } from "@hawser/linux-sockets/testing";
import koffi from "koffi";
import { until } from "../lab/hawser.ts";
import type { Namespace } from "../lab/namespace.ts";

const libc = koffi.load(null);
const setns = libc.func("int setns(int fd, int type)") as (fd: number, type: number) => number;
const socketCall = libc.func("int socket(int domain, int type, int protocol)") as (
  domain: number,
  type: number,
  protocol: number,
) => number;

const send = libc.func("intptr_t send(int fd, const void *bytes, size_t length, int flags)") as (
  fd: number,
  bytes: Buffer,
  length: number,
  flags: number,
) => number;
const recv = libc.func("intptr_t recv(int fd, void *bytes, size_t length, int flags)") as typeof send;

/** Linux's uapi headers. */
const MSG_OOB = 1;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
/** How long a test waits for an event, milliseconds. */
const PATIENCE_MS = 15_000;
export const IPPROTO_TCP = 6;
export const IPPROTO_MPTCP = 262;

/** Calls `action` in the namespace. `action` must have made its sockets when it returns. */
function inside<T>(namespace: Namespace, action: () => T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  const there = openSync(`/run/netns/${namespace.name}`, "r");
  try {
    if (setns(there, CLONE_NEWNET) !== 0) throw new Error(`setns failed: errno ${koffi.errno()}`);
    return action();
  } finally {
    if (setns(home, CLONE_NEWNET) !== 0) process.abort();
    closeSync(there);
    closeSync(home);
  }
}

const open = new Set<Socket>();

/** Unreferences the socket, so that sockets which a failed test leaves open do not keep the process alive. */
function remember(socket: Socket): Socket {
  open.add(socket);
  return socket.once("close", () => open.delete(socket)).unref();
}

/** Ends a test, however it went, so that the next test finds none of its connections. */
export function destroySockets(): void {
  for (const socket of open) socket.on("error", () => {}).resetAndDestroy();
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectOptions {
  /** Default IPPROTO_TCP. */
  readonly protocol?: number;
  /** One of the namespace's addresses; by default routing chooses. */
  readonly localAddress?: string;
}

/** Begins a connection from the namespace to an IP address. Each direction ends on its own. */
export function connectFrom(namespace: Namespace, address: Address, options: ConnectOptions = {}): Socket {
  return crowdFrom(namespace, 1, address, options)[0] as Socket;
}

/** Begins many connections at once, since each change of the namespace takes milliseconds. */
export function crowdFrom(
  namespace: Namespace,
  count: number,
  { host, port }: Address,
  { protocol = IPPROTO_TCP, localAddress }: ConnectOptions = {},
): Socket[] {
  const domain = isIPv6(host) ? AF_INET6 : AF_INET;
  const fds = inside(namespace, () =>
    Array.from({ length: count }, () => socketCall(domain, SOCK_STREAM_NONBLOCK_CLOEXEC, protocol)),
  );
  if (fds.some((fd) => fd < 0)) throw new Error(`socket failed: errno ${koffi.errno()}`);
  const source = localAddress === undefined ? {} : { localAddress };
  const target = { host, port, autoSelectFamily: false, ...source };
  return fds.map((fd) => {
    return remember(openUnconnected(fd, { allowHalfOpen: true }).setNoDelay(true).connect(target));
  });
}

/** As `connectFrom`; resolves once the socket is connected. @throws the error of connect(2) */
export async function connected(namespace: Namespace, address: Address): Promise<Socket> {
  const socket = connectFrom(namespace, address);
  await once(socket, "connect");
  return socket;
}

/** A server in the namespace, on all its addresses; `accept` resolves with its connections in order. */
export interface Listener {
  readonly server: Server;
  readonly port: number;
  accept(): Promise<Socket>;
  close(): void;
}

export async function listenIn(namespace: Namespace, port = 0): Promise<Listener> {
  const arrived: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    remember(socket);
    const next = waiting.shift();
    if (next) next(socket);
    else arrived.push(socket);
  });
  // Without a host the socket is made at once, while the thread is in the namespace.
  inside(namespace, () => server.listen({ port, backlog: 1024 }));
  if (!server.listening) await once(server, "listening");
  server.unref();
  return {
    server,
    port: (server.address() as AddressInfo).port,
    accept: () => {
      const socket = arrived.shift();
      return socket ? Promise.resolve(socket) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => {
      server.close();
      for (const socket of arrived) socket.destroy();
    },
  };
}

/** The two ends of one flow. */
export interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Connects from `namespace` to `address`, where `listener` is reached, and waits for both ends. */
export async function pair(namespace: Namespace, address: Address, listener: Listener): Promise<Pair> {
  const [client, server] = await Promise.all([connected(namespace, address), listener.accept()]);
  return { client, server };
}

/** Reads from a socket from now on, and records what came and how the socket ended. */
export class Reader {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  length = 0;
  /** Whether the FIN has come. */
  ended = false;
  /** The error's code when the connection broke. */
  broken: string | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    const note = (action: () => void) => () => {
      action();
      this.#wake();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.length += bytes.length;
      this.#wake();
    });
    socket.on(
      "end",
      note(() => (this.ended = true)),
    );
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.broken = error.code ?? error.message;
      this.#wake();
    });
    socket.on(
      "close",
      note(() => (this.broken ??= "closed")),
    );
    socket.resume();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }

  /** Forgets the bytes that have come so far. */
  clear(): void {
    this.#chunks = [];
    this.length = 0;
  }

  /** Waits until this many bytes have come in all. @throws Error when the stream ends or breaks before */
  bytes(count: number): Promise<void> {
    return this.#until(`${count} bytes`, () => this.length >= count, this.#gone);
  }

  /** Waits for the FIN. @throws Error when the stream breaks before */
  end(): Promise<void> {
    return this.#until(
      "the end",
      () => this.ended,
      () => this.broken !== undefined,
    );
  }

  /** Waits for the connection to break. Resolves with the error's code. @throws Error when it ends in order */
  async error(): Promise<string> {
    await this.#until(
      "an error",
      () => this.broken !== undefined,
      () => this.ended,
    );
    return this.broken as string;
  }

  readonly #gone = (): boolean => this.ended || this.broken !== undefined;

  async #until(what: string, isSo: () => boolean, isVain: () => boolean): Promise<void> {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    patience.addEventListener("abort", () => this.#wake());
    while (!isSo()) {
      if (isVain() || patience.aborted) {
        const how = this.broken ?? (this.ended ? "ended" : "open");
        throw new Error(`waited for ${what}, but after ${this.length} bytes the connection is ${how}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Sends some bytes, the last of them as urgent, which Node cannot do. */
export function sendUrgent(socket: Socket, text: string): void {
  const sent = send(socketFd(socket) ?? -1, Buffer.from(text, "latin1"), text.length, MSG_OOB);
  if (sent !== text.length) throw new Error(`send: ${sent}, errno ${koffi.errno()}`);
}

/** Resolves when the socket's other end has acknowledged all that was written. */
export function acknowledged(socket: Socket): Promise<void> {
  return until(async () => {
    const info = tcpInfo(socketFd(socket));
    return socket.writableLength === 0 && info?.unacked === 0 && info.notsentBytes === 0;
  });
}

/**
 * Reads a paused socket from the kernel, at `rate` bytes per second, to its end. Resolves with the number of bytes and
 * the way of the end: "end" or the errno's name. Node's own reading would drop what it holds when the connection
 * breaks.
 */
export async function readSlowly(socket: Socket, rate: number): Promise<[bytes: number, how: string]> {
  const buffer = Buffer.alloc(256 * 1024);
  let total = 0;
  for (const started = performance.now(); ; await sleep(5)) {
    const due = Math.floor(((performance.now() - started) / 1_000) * rate) - total;
    const got = recv(socketFd(socket) ?? -1, buffer, Math.min(buffer.length, Math.max(1, due)), MSG_DONTWAIT);
    const errno = got < 0 ? koffi.errno() : 0;
    if (got > 0) total += got;
    else if (errno !== EAGAIN) return [total, errno === 0 ? "end" : getSystemErrorName(-errno)];
  }
}

/** Sends a request to the lab's origin, then a FIN, and returns the whole answer. */
export async function ask(namespace: Namespace, address: Address, request: string): Promise<string> {
  const socket = connectFrom(namespace, address);
  const reader = new Reader(socket);
  socket.end(request);
  await reader.end();
  return reader.text;
}
