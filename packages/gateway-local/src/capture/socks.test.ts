import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, mock, test } from "node:test";
import { createLogger, type Listener, Refusals } from "@hawser/shared-protocol/node";
import type { SessionKeeper } from "../session-keeper.ts";
import { FlowOpener } from "./flow-opener.ts";
import { HANDSHAKE_DEADLINE_MS, SocksCapture } from "./socks.ts";

const HOST = "127.0.0.1";
const logger = createLogger({ role: "local", name: "test", level: "silent" });
const refusals = new Refusals(logger);
let server: Listener;

before(async () => {
  // No request of these tests gets as far as to a session.
  const opener = new FlowOpener({} as SessionKeeper, refusals, logger);
  const config = { listen: [{ host: HOST, port: 0 }], users: undefined };
  [server] = (await new SocksCapture(config, opener, refusals, logger).listen()) as [Listener];
});
after(() => server.close());
beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** A client that has sent these bytes and got the answer to them. */
async function client(bytes: readonly number[], answer: string): Promise<Socket> {
  const socket = connect({ host: HOST, port: server.port, allowHalfOpen: true });
  socket.write(Buffer.from(bytes));
  const [given] = (await once(socket, "data")) as [Buffer];
  assert.equal(given.toString("hex"), answer);
  return socket;
}

for (const [what, bytes, answer] of [
  ["stops in the middle of its handshake", [5, 1, 0, 5, 1], "0500"],
  ["was refused and does not leave", [5, 1, 2], "05ff"],
] as const) {
  test(`a client that ${what} is cut at the deadline, and not before`, async () => {
    const socket = await client(bytes, answer);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume().on("error", () => {});
    mock.timers.tick(HANDSHAKE_DEADLINE_MS - 1);
    // A cut would have come within a few turns.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(socket.destroyed, false);
    mock.timers.tick(1);
    // Half-open on purpose: only the gateway's close lets a write fail.
    const write = (): void => void socket.write("x", (error) => error || setImmediate(write));
    write();
    await closed;
  });
}

test("more clients in their handshakes than there is room for: the one that has waited longest goes", async () => {
  const clients: Socket[] = [];
  // One after the other: the gateway has taken each when it answers.
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
