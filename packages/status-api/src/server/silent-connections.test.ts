import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { ask, LISTEN, samplePath, sampleReport } from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });
const source = {
  events: new EventLog(),
  status: () => sampleReport({ paths: [samplePath("adsl1")] }),
  flows: () => [],
};
const sockets: Socket[] = [];
let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, logger });
});
after(() => {
  for (const socket of sockets) socket.destroy();
  return server.close();
});

async function dial(): Promise<Socket> {
  const socket = connect(server.address.port, server.address.host).on("error", () => {});
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

test("any number of silent connections keeps nobody else out, and no more than 64 of one source are kept", async () => {
  const silent: Socket[] = [];
  for (let i = 0; i < 400; i++) silent.push((await dial()).resume());
  assert.equal((await ask(server.address.port, "/healthz")).status, 200);
  const last = silent.slice(-60);
  for (const socket of silent.slice(0, 330)) if (!socket.closed) await once(socket, "close");
  assert.ok(last.every(({ closed }) => !closed));
});

test("who is being answered is not displaced by the silent", async () => {
  const follower = await dial();
  follower.write("GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n");
  await once(follower, "data");
  for (let i = 0; i < 200; i++) (await dial()).resume();
  assert.equal((await ask(server.address.port, "/healthz")).status, 200);
  source.events.add("path-up", "still followed");
  const [text] = (await once(follower, "data")) as [Buffer];
  assert.match(text.toString(), /still followed|event:/);
  assert.ok(!follower.destroyed);
});
