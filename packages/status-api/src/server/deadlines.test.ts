import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, before, mock, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { ask, LISTEN, samplePath, sampleReport } from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";
import { endUnreadAnswers, UNREAD_MS } from "./unread-answers.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });
const source = {
  events: new EventLog(),
  status: () => sampleReport({ paths: [samplePath("adsl1")] }),
  flows: () => [],
};
let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, logger });
});
after(() => server.close());

async function dial(port = server.address.port): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The milliseconds until the server has closed a connection on which this was said. */
async function lifeOf(text: string): Promise<number> {
  const socket = await dial();
  const from = performance.now();
  socket.write(text);
  await new Promise((resolve) => socket.resume().once("close", resolve));
  return performance.now() - from;
}

test("who sends no request, or no whole one, is cut within seconds", async () => {
  const said = [
    "",
    "GET /healthz HT",
    "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "PATCH /api/paths/adsl1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
  ];
  for (const life of await Promise.all(said.map(lifeOf)))
    assert.ok(life > 8_000 && life < 20_000, `${Math.round(life)} ms`);
});

test("who asks again and again may pause for a minute between two requests", async () => {
  assert.equal((await ask(server.address.port, "/healthz")).status, 200);
  const socket = await dial();
  socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  assert.match(String((await once(socket, "data"))[0]), /^keep-alive: timeout=60\r$/im);
  socket.destroy();
});

test("who does not take its answer is cut after a minute, and who takes it slowly before that is not", async () => {
  const web = createServer((_, answer) => void answer.end(Buffer.alloc(20_000_000)));
  endUnreadAnswers(web);
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  const { port } = web.address() as AddressInfo;
  mock.timers.enable({ apis: ["setTimeout"] });
  const sides: Socket[] = [];
  web.on("connection", (socket: Socket) => void sides.push(socket));
  for (const reads of [true, false]) {
    const client = (await dial(port)).pause();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(web, "request");
    const side = sides.at(-1) as Socket;
    mock.timers.tick(UNREAD_MS - 1);
    assert.equal(side.destroyed, false);
    if (reads) {
      client.resume();
      while (client.bytesRead < 20_000_000) await once(client, "data");
      await new Promise(setImmediate);
    }
    mock.timers.tick(1);
    assert.equal(side.destroyed, !reads);
    client.destroy();
  }
  mock.timers.reset();
  web.close();
});
