import { mock } from "node:test";
import { MemoryBudget } from "@hawser/multipath-engine";
import { CloseCode } from "@hawser/shared-protocol";
import { SessionDriver, type SessionDriverOptions } from "../session/session-driver.ts";
import type { StreamHandler } from "../session/stream-handlers.ts";
import { FakeSocket } from "./fake-socket.ts";
import { VirtualTime } from "./virtual-time.ts";

const MEMORY = 256 * 1_048_576;

export const REQUEST = {
  kind: "socks",
  destination: { host: "192.0.2.1", port: 80 },
  source: { host: "10.0.0.2", port: 40_000 },
} as const;

export const HANDLER: StreamHandler = {
  handleOpened() {},
  handleReadable() {},
  handleWritable() {},
  handleReset() {},
  handleClosed() {},
};

/** For tests: drivers of sessions on sockets and a clock that the test moves. */
export class VirtualSession {
  readonly time = new VirtualTime();
  readonly #drivers: SessionDriver[] = [];

  constructor() {
    this.time.install();
  }

  driver(side: "local" | "remote", options: Partial<SessionDriverOptions> = {}): SessionDriver {
    const memory = new MemoryBudget(MEMORY);
    const driver = new SessionDriver({ name: side, side, memory, onClosed: () => {}, ...options });
    this.#drivers.push(driver);
    return driver;
  }

  /** Ends all of them, and gives the real clock back. */
  end(): void {
    for (const driver of this.#drivers) {
      driver.close(CloseCode.done, "");
      for (const { socket } of driver.connections.values()) socket.destroy();
    }
    this.time.pass(10_000);
    mock.restoreAll();
  }
}

/** A subflow of the path `line0`, `line1` and so on. Returns its socket. */
export function addLine(
  driver: SessionDriver,
  id: number,
  socket = new FakeSocket(),
  more: object = {},
): FakeSocket {
  driver.addSubflow(socket.asTls, { id, path: `line${id}`, role: "active", ...more }, Buffer.alloc(0));
  return socket;
}

/** Counts the driver's turns from now on. */
export function turnsOf(driver: SessionDriver): () => number {
  const { mock: calls } = mock.method(driver.session, "startTurn");
  return () => calls.callCount();
}
