import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, mock, test } from "node:test";
import {
  createLogger,
  type Listener,
  Refusals,
  type SessionDriver,
  SPEEDTEST_HOST,
  type StreamHandler,
} from "@hawser/gateway-kit";
import { TURN_AWAY_MS, TURNED_AWAY } from "@hawser/gateway-kit/testing";
import { StreamCode } from "@hawser/shared-protocol";
import type { SessionKeeper } from "../session-keeper.ts";
import { FairShare } from "./fair-share.ts";
import { FlowOpener } from "./flow-opener.ts";
import { HANDSHAKE_DEADLINE_MS, SocksCapture } from "./socks.ts";

const HOST = "127.0.0.1";
const logger = createLogger({ role: "local", name: "test", level: "silent" });
const refusals = new Refusals(logger);
let server: Listener;

/** A driver whose remote gateway refuses every flow. */
const driver = {
  name: "test",
  session: { stream: () => undefined },
  open: () => 0,
  end() {},
  adopt: (_: number, handler: StreamHandler) => setImmediate(() => handler.handleReset(StreamCode.refused)),
} as unknown as SessionDriver;

before(async () => {
  const share = new FairShare({ room: 1_000, isMemoryShort: () => false, onGreedy: () => {} });
  const opener = new FlowOpener({ driver } as SessionKeeper, share, refusals, logger);
  const config = { listen: [{ host: HOST, port: 0 }], users: undefined };
  [server] = (await new SocksCapture(config, opener, refusals, logger).listen()) as [Listener];
});
after(() => server.close());
beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** A client that has sent these bytes and has received the answer. */
async function client(bytes: readonly number[], answer: string): Promise<Socket> {
  const socket = connect({ host: HOST, port: server.port, allowHalfOpen: true });
  socket.write(Buffer.from(bytes));
  let given = "";
  while (given.length < answer.length) given += ((await once(socket, "data")) as [Buffer])[0].toString("hex");
  assert.equal(given, answer);
  return socket;
}

const GREETING = [5, 1, 0];
const CONNECT = [5, 1, 0, 1, 192, 0, 2, 1, 0, 80];
const SPEEDTEST = [5, 1, 0, 3, SPEEDTEST_HOST.length, ...Buffer.from(SPEEDTEST_HOST), 0, 80];
const reply = (code: number): string => `0500050${code}0001000000000000`;

/** The rows of docs/CONNECTIONS.md: the state in which a client stays, and for how long it may. */
for (const [what, bytes, answer, deadline] of [
  ["stops in the middle of its handshake", [...GREETING, 5, 1], "0500", HANDSHAKE_DEADLINE_MS],
  ["does not leave after its handshake was refused", [5, 1, 2], "05ff", TURN_AWAY_MS],
  ["does not leave after BIND was refused", [...GREETING, 5, 2, ...CONNECT.slice(2)], reply(7), TURN_AWAY_MS],
  [
    "does not leave after this gateway refused its request",
    [...GREETING, ...SPEEDTEST],
    reply(2),
    TURN_AWAY_MS,
  ],
  ["does not leave after the remote refused its request", [...GREETING, ...CONNECT], reply(5), TURN_AWAY_MS],
] as const) {
  test(`a SOCKS client that ${what} is cut at the deadline, and not before`, async () => {
    const socket = await client(bytes, answer);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume().on("error", () => {});
    mock.timers.tick(deadline - 1);
    // A cut would come within a few turns.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(socket.destroyed, false);
    mock.timers.tick(1);
    // The client stays half-open on purpose: a write fails only when the gateway has closed.
    const write = (): void => void socket.write("x", (error) => error || setImmediate(write));
    write();
    await closed;
  });
}

for (const [what, bytes, answer] of [
  ["BIND", [...GREETING, 5, 2, ...CONNECT.slice(2)], reply(7)],
  ["a request that the remote refuses", [...GREETING, ...CONNECT], reply(5)],
] as const) {
  test(`clients that stay after ${what}: no more than 64 of one source keep their descriptors`, async () => {
    const clients: Socket[] = [];
    for (let i = 0; i < 300; i++) clients.push(await client(bytes, answer));
    let open = clients.length;
    for (const socket of clients) {
      socket.on("error", () => {}).once("close", () => open--);
      // The client stays half-open on purpose: a write fails only when the gateway has closed.
      const write = (): void => void socket.write("x", (error) => error || setTimeout(write, 10));
      socket.resume();
      write();
    }
    mock.timers.reset();
    while (open > TURNED_AWAY.perSource) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(open, TURNED_AWAY.perSource);
    for (const each of clients) each.destroy();
  });
}

test("more clients in their handshakes than there is room for: the one that has waited longest goes", async () => {
  const clients: Socket[] = [];
  // One after the other: the gateway has taken in each client when it answers.
  for (let i = 0; i < 256; i++) clients.push(await client([5, 1, 0], "0500"));
  const broken = once(clients[0] as Socket, "error") as Promise<[NodeJS.ErrnoException]>;
  clients.push(await client([5, 1, 0], "0500"));
  assert.equal((await broken)[0].code, "ECONNRESET");
  assert.ok(clients.slice(1).every((each) => !each.destroyed));
  assert.deepEqual(
    refusals.counts.find(({ reason }) => reason === "displaced"),
    { listener: "socks", reason: "displaced", count: 1 },
  );
  for (const each of clients) each.destroy();
});
