import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, mock, test } from "node:test";
import { socketFd, tcpInfo } from "@hawser/linux-sockets";
import { MemoryBudget } from "@hawser/multipath-engine";
import { CloseCode, StreamCode } from "@hawser/shared-protocol";
import { SessionDriver } from "../session/session-driver.ts";
import { Flow } from "./flow.ts";
import { RESET_PATIENCE_MS, whenStill } from "./reset-patience.ts";

const REQUEST = { kind: "socks", destination: { host: "", port: 0 }, source: { host: "", port: 0 } } as const;

beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
afterEach(() => mock.timers.reset());

test("whoever makes progress is waited for without end, whoever makes none is not", () => {
  let progress: number | undefined = 0;
  let given = 0;
  whenStill(
    () => progress,
    () => given++,
  );
  for (let pieces = 0; pieces < 100; pieces++) {
    mock.timers.tick(0.8 * RESET_PATIENCE_MS);
    progress++;
  }
  mock.timers.tick(RESET_PATIENCE_MS - 1);
  assert.equal(given, 0);
  mock.timers.tick(RESET_PATIENCE_MS);
  assert.equal(given, 1);
  mock.timers.tick(10 * RESET_PATIENCE_MS);
  assert.equal(given, 1);
});

test("a reader that has taken nothing for a while already is waited for so much less", () => {
  let given = 0;
  whenStill(
    () => 0,
    () => given++,
    0.75 * RESET_PATIENCE_MS,
  );
  mock.timers.tick(0.2 * RESET_PATIENCE_MS);
  assert.equal(given, 0);
  mock.timers.tick(0.1 * RESET_PATIENCE_MS);
  assert.equal(given, 1);
});

test("nobody is given up who is gone, or is waited for no more", () => {
  const fail = (): void => assert.fail();
  whenStill(() => undefined, fail);
  whenStill(() => 0, fail)();
  mock.timers.tick(10 * RESET_PATIENCE_MS);
});

/** A flow whose application is the other end of a loopback connection, and reads nothing. */
async function flowOf(
  driver: Partial<SessionDriver>,
): Promise<{ flow: Flow; application: Socket; close: () => void }> {
  const server = createServer().listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const application = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }).pause();
  const [[socket]] = (await Promise.all([once(server, "connection"), once(application, "connect")])) as [
    [Socket],
    unknown,
  ];
  const session = { stream: () => undefined } as unknown as SessionDriver["session"];
  const flow = new Flow({ name: "test", session, ...driver } as SessionDriver, 0, REQUEST, socket);
  return { flow, application, close: () => void server.close() };
}

test("a stream that was reset is given up when its reader takes nothing for a minute", async () => {
  const resets: StreamCode[] = [];
  const { flow, application, close } = await flowOf({ reset: (_, code) => void resets.push(code) });
  flow.handleResetting();
  mock.timers.tick(RESET_PATIENCE_MS / 2);
  // What the other end acknowledges is progress.
  await new Promise<void>((resolve) => flow.socket.write("more", () => resolve()));
  await new Promise(setImmediate);
  mock.timers.tick(RESET_PATIENCE_MS - 1);
  assert.deepEqual(resets, []);
  const broken = once(application.resume(), "error") as Promise<[NodeJS.ErrnoException]>;
  mock.timers.tick(RESET_PATIENCE_MS / 2);
  assert.deepEqual(resets, [StreamCode.reset]);
  assert.equal((await broken)[0].code, "ECONNRESET");
  close();
});

test("a reset behind what was written goes out when the peer takes nothing of that for a minute", () => {
  const memory = new MemoryBudget(2 ** 24);
  const driver = new SessionDriver({ name: "test", side: "local", memory, onClosed: () => {} });
  const stream = driver.open(REQUEST) as number;
  driver.write(stream, Buffer.alloc(10));
  driver.resetBehind(stream, StreamCode.reset);
  // No line, no wait for the peer: the session has a patience of its own.
  mock.timers.tick(10 * RESET_PATIENCE_MS);
  assert.equal(driver.session.kept.streams, 1);
  const connections = driver.connections as Map<number, unknown>;
  connections.set(0, {});
  mock.timers.tick(RESET_PATIENCE_MS - 1);
  assert.deepEqual([driver.session.kept.streams, driver.session.kept.resets], [1, 0]);
  mock.timers.tick(RESET_PATIENCE_MS / 5);
  assert.deepEqual([driver.session.kept.streams, driver.session.kept.resets], [0, 1]);
  connections.clear();
  driver.close(CloseCode.done, "");
});

test("what the kernel still has to send goes before the reset", { timeout: 10_000 }, async () => {
  const { flow, application, close } = await flowOf({ end() {} });
  const bytes = 1_000_000;
  await new Promise<void>((resolve) => flow.socket.write(Buffer.alloc(bytes), () => resolve()));
  assert.ok((tcpInfo(socketFd(flow.socket))?.notsentBytes ?? 0) > 0, "the other end's kernel took all");
  flow.handleReset(StreamCode.reset);
  mock.timers.tick(1_000);
  assert.equal(flow.socket.destroyed, false);
  const broken = once(application, "error") as Promise<[NodeJS.ErrnoException]>;
  let total = 0;
  application.on("data", ({ length }: Buffer) => (total += length)).resume();
  while (!flow.socket.destroyed) {
    await new Promise(setImmediate);
    mock.timers.tick(25);
  }
  assert.equal((await broken)[0].code, "ECONNRESET");
  assert.equal(total, bytes);
  close();
});
