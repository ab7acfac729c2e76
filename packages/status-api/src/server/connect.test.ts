import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, mock, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { TURN_AWAY_MS } from "@hawser/gateway-kit/testing";
import { dialConnect } from "../client/dial-connect.ts";
import { acceptConnect, refuseConnect } from "./connect.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";

const TOKEN = "t0ken-_";
const LISTEN = { host: "127.0.0.1", port: 0 };
const logger = createLogger({ role: "local", name: "test", level: "silent" });
const source = {
  events: new EventLog(),
  status: () => {
    throw new Error("not asked here");
  },
  flows: () => [],
};

const asked: string[] = [];
let server: StatusServer;

/** Echoes; `refused.example` is refused; the end of the request is answered by "bye". */
function serve(target: { host: string; port: number }, socket: Socket, head: Buffer): void {
  asked.push(`${target.host} ${target.port}`);
  if (target.host === "refused.example") return refuseConnect(socket, 502, "connection refused");
  acceptConnect(socket);
  socket.write(head);
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end("bye"));
}

before(async () => {
  server = await createStatusServer(source, {
    listen: LISTEN,
    logger,
    onConnect: serve,
    connectToken: () => TOKEN,
  });
});
after(() => server.close());

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const bytes of socket) text += String(bytes);
  return text;
}

/** What the server answers to these bytes, up to its end. */
function raw(text: string, port = server.address.port): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  return textOf(socket);
}

function connectRequest(target: string, authorization?: string): string {
  const header = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${header}\r\n`;
}

test("a tunnel carries both directions, and keeps the half-close", async () => {
  const socket = await dialConnect(server.address, TOKEN, { host: "2001:db8::1", port: 22 });
  socket.end("hello");
  assert.equal(await textOf(socket), "hellobye");
  assert.equal(asked.at(-1), "2001:db8::1 22");
});

test("bytes that come with the request are not lost", async () => {
  const socket = connect(server.address.port, "127.0.0.1");
  socket.write(`${connectRequest("nas.example:22", `bearer ${TOKEN}`)}early`);
  socket.end();
  assert.equal(await textOf(socket), "HTTP/1.1 200 Connection Established\r\n\r\nearlybye");
});

test("without the token nothing is opened", async () => {
  asked.length = 0;
  for (const authorization of [
    undefined,
    "",
    "Bearer",
    "Bearer wrong",
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
  ]) {
    const answer = await raw(connectRequest("nas.example:22", authorization));
    assert.match(
      answer,
      /^HTTP\/1\.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Bearer realm="hawser"\r\n/,
    );
  }
  await assert.rejects(dialConnect(server.address, "wrong", { host: "nas.example", port: 22 }), {
    code: "CONNECT_REFUSED",
    message: "nas.example:22: the gateway does not accept the token; is it running with this configuration?",
  });
  assert.deepEqual(asked, []);
});

test("refusals say why", async () => {
  await assert.rejects(dialConnect(server.address, TOKEN, { host: "refused.example", port: 22 }), {
    code: "CONNECT_REFUSED",
    message: "refused.example:22: connection refused",
  });
  assert.match(
    await raw(connectRequest("nas.example:0", `Bearer ${TOKEN}`)),
    /^HTTP\/1\.1 400 [^]*port 0 cannot/,
  );
});

test("who was refused and does not leave is cut at the deadline, and makes room for those who ask", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const clients: Socket[] = [];
  for (let i = 0; i < 300; i++) {
    const { port, host } = server.address;
    const socket = connect({ port, host, allowHalfOpen: true }).on("error", () => {});
    clients.push(socket);
    socket.write(connectRequest("nas.example:22"));
    assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1.1 407 /);
  }
  const socket = await dialConnect(server.address, TOKEN, { host: "nas.example", port: 22 });
  socket.end();
  assert.equal(await textOf(socket), "bye");
  mock.timers.tick(TURN_AWAY_MS);
  mock.timers.reset();
  // Half-open on purpose: only the server's close lets a write fail.
  const last = clients.at(-1) as Socket;
  const write = (): void => void last.write("x", (error) => error || setTimeout(write, 10));
  write();
  await new Promise((resolve) => last.resume().once("close", resolve));
  for (const each of clients) each.destroy();
});

test("where tunnels are not served they are refused", async () => {
  const plain = await createStatusServer(source, { listen: LISTEN, logger });
  try {
    assert.match(
      await raw(connectRequest("nas.example:22", `Bearer ${TOKEN}`), plain.address.port),
      /^HTTP\/1\.1 405 /,
    );
  } finally {
    await plain.close();
  }
  await assert.rejects(createStatusServer(source, { listen: LISTEN, logger, onConnect: serve }), TypeError);
});

test("closing the server ends tunnels, and a gateway that is not there is said to be so", async () => {
  const closing = await createStatusServer(source, {
    listen: LISTEN,
    logger,
    onConnect: serve,
    connectToken: () => TOKEN,
  });
  const socket = await dialConnect(closing.address, TOKEN, { host: "nas.example", port: 22 });
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.resume();
  await closing.close();
  socket.end();
  await ended;
  await assert.rejects(dialConnect(closing.address, TOKEN, { host: "nas.example", port: 22 }), {
    code: "STATUS_UNREACHABLE",
    message: /no gateway answers \(connect ECONNREFUSED .*\); is hawser-local running\?$/,
  });
});
