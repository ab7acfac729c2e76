/** This machine's loopback ports in front of what listens inside a namespace. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "../lab/namespace.ts";
import { join } from "./join.ts";

const LOOPBACK = "127.0.0.1";
/** How many ports are tried, from the wanted one on. */
const TRIES = 100;

export class Forwarder {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #bridge: ChildProcess;

  private constructor(server: Server, sockets: Set<Socket>, bridge: ChildProcess) {
    this.#server = server;
    this.#sockets = sockets;
    this.#bridge = bridge;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * @param from the first port to try on this machine
   * @param path of the Unix socket between here and the namespace
   */
  static async start(host: Host, port: number, from: number, path: string): Promise<Forwarder> {
    const program = fileURLToPath(new URL("./bridge.ts", import.meta.url));
    // Detached: a Ctrl-C at the terminal is for the demo alone; the bridge ends with its stdin.
    const child = host.spawn(process.execPath, [program, path, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    if (child.stdout === null) throw new Error("the bridge has no stdout");
    const ended = once(child, "exit").then(() => Promise.reject(new Error("the bridge ended at once")));
    await Promise.race([once(createInterface(child.stdout), "line"), ended]);
    ended.catch(() => {});
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      join(socket, connect({ path, allowHalfOpen: true }));
    });
    await listenFrom(server, from);
    return new Forwarder(server, sockets, child);
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#bridge.exitCode !== null || this.#bridge.signalCode !== null) return;
    const exited = once(this.#bridge, "exit");
    this.#bridge.stdin?.end();
    await exited;
  }
}

/** A port of loopback that is free now: the first one from `from` on, or any. */
export async function freePort(from = 0, host = LOOPBACK): Promise<number> {
  const server = createServer();
  await listenFrom(server, from, host);
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listenFrom(server: Server, from: number, host = LOOPBACK): Promise<void> {
  for (let port = from; ; port++) {
    try {
      server.listen(port, host);
      await once(server, "listening");
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EADDRINUSE" || port >= from + TRIES) throw error;
    }
  }
}
