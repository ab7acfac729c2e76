import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, mock, test } from "node:test";
import { TURN_AWAY_MS, TURNED_AWAY, turnAway } from "./turn-away.ts";

let server: Server;
const accepted: Socket[] = [];
before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket.on("error", () => {}));
    turnAway(socket, "no\n");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => server.close());

/** One that has heard no, and stays. */
async function client(localAddress = "127.0.0.1"): Promise<Socket> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, localAddress, allowHalfOpen: true }).on(
    "error",
    () => {},
  );
  assert.equal(String((await once(socket, "data"))[0]), "no\n");
  return socket;
}

test("who was turned away gets the words and the end, and is cut off at the deadline", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const socket = await client();
  if (!socket.readableEnded) await once(socket, "end");
  const gateway = accepted.at(-1) as Socket;
  mock.timers.tick(TURN_AWAY_MS - 1);
  assert.equal(gateway.destroyed, false);
  mock.timers.tick(1);
  assert.equal(gateway.destroyed, true);
  mock.timers.reset();
  socket.destroy();
});

test("who leaves is forgotten: nobody has to go for it", async () => {
  for (let i = 0; i < 2 * TURNED_AWAY.perSource; i++) {
    const socket = await client();
    socket.end();
    await once(accepted.at(-1) as Socket, "close");
  }
  const stays = await client();
  const first = accepted.at(-1) as Socket;
  for (let i = 1; i < TURNED_AWAY.perSource; i++) await client();
  assert.equal(first.destroyed, false);
  await client();
  assert.equal(first.destroyed, true);
  stays.destroy();
});

test("all together have a bounded room", async () => {
  const before = accepted.length;
  for (let i = 0; i < 2 * TURNED_AWAY.total; i++) await client(`127.0.1.${1 + (i % 200)}`);
  const kept = accepted.slice(before).filter(({ destroyed }) => !destroyed);
  assert.ok(kept.length <= TURNED_AWAY.total && kept.length > TURNED_AWAY.total / 2, String(kept.length));
  for (const socket of accepted) socket.destroy();
});
