/** Real time and loopback, beside other tests: what is asked for is loose. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { ShapedLine } from "./shaped-line.ts";

const SETTINGS = { down: 8e6, up: 1e6, delayMs: 20, queueMs: 100 };
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A connection over a line to a server of that behaviour. */
async function overLine(server: (socket: Socket) => void, line = new ShapedLine(SETTINGS)): Promise<Socket> {
  const far = await serve((socket) => server(socket.on("error", () => {})));
  const door = await serve((near) =>
    line.join(near, connect({ port: far, host: "127.0.0.1", allowHalfOpen: true })),
  );
  return connect({ port: door, host: "127.0.0.1", allowHalfOpen: true });
}

/** Bit/s of an IP line that carries a stream's bytes in full packets. */
function goodput(rate: number): number {
  return (rate * 1448) / 1500;
}

test("bytes come whole, at the line's rate, and the stream's end after them", async () => {
  const data = Buffer.alloc(600_000, "the line carries this. ");
  const socket = await overLine((far) => far.resume().end(data));
  const started = performance.now();
  const received = await buffer(socket);
  const seconds = (performance.now() - started) / 1000;
  socket.end();
  assert.ok(received.equals(data));
  const rate = (data.length * 8) / seconds;
  assert.ok(rate < goodput(SETTINGS.down) * 1.01 && rate > goodput(SETTINGS.down) * 0.7, `${rate} bit/s`);
});

test("both directions have their own rate, and a half-closed connection still answers", async () => {
  const socket = await overLine((far) => {
    void buffer(far).then((data) => far.end(String(data.length)));
  });
  const started = performance.now();
  socket.end(Buffer.alloc(60_000));
  assert.equal((await buffer(socket)).toString(), "60000");
  const seconds = (performance.now() - started) / 1000;
  const least = (60_000 * 8) / goodput(SETTINGS.up) + (2 * SETTINGS.delayMs) / 1000;
  assert.ok(seconds > least * 0.97 && seconds < least * 1.5, `${seconds} s, not ${least}`);
});

test("a round trip takes twice the delay", async () => {
  const socket = await overLine((far) => far.pipe(far));
  await once(socket, "connect");
  const times: number[] = [];
  for (let count = 0; count < 5; count++) {
    const started = performance.now();
    socket.write("x");
    await once(socket, "data");
    times.push(performance.now() - started);
  }
  socket.end();
  const least = Math.min(...times);
  assert.ok(least >= 2 * SETTINGS.delayMs && least < 2 * SETTINGS.delayMs + 15, times.join(" "));
});

test("two connections share one line", async () => {
  const line = new ShapedLine(SETTINGS);
  const data = Buffer.alloc(250_000);
  const server = (far: Socket): Socket => far.resume().end(data);
  const sockets = [await overLine(server, line), await overLine(server, line)];
  const started = performance.now();
  const received = await Promise.all(sockets.map((socket) => buffer(socket)));
  const rate = (2 * data.length * 8000) / (performance.now() - started);
  for (const socket of sockets) socket.end();
  assert.deepEqual(
    received.map(({ length }) => length),
    [data.length, data.length],
  );
  // Both may have sent a bit before the clock was started.
  assert.ok(rate < goodput(SETTINGS.down) * 1.1, `${rate} bit/s`);
});

test("a connection that is reset on one side is on the other", async () => {
  const socket = await overLine((far) => {
    far.once("data", () => far.resetAndDestroy());
  });
  socket.write("x");
  await assert.rejects(once(socket.resume(), "close"), { code: "ECONNRESET" });
});
