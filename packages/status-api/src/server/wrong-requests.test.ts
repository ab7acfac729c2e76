import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import {
  ask as askAt,
  assertProblem,
  LISTEN,
  sampleFlow,
  samplePages,
  sampleReport,
  withJson,
} from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });
const events = new EventLog();
const source = { events, status: () => sampleReport(), flows: () => [sampleFlow], setPathRole: () => true };

let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, pages: samplePages, logger });
});
after(() => server.close());

const ask = (path: string, question = {}) => askAt(server.address.port, path, question);
const patch = (body: string) => ask("/api/paths/adsl1", withJson("PATCH", body));

test("what is wrong with a body is told in its own terms", async () => {
  const roles = "active, backup, disabled, overflow";
  assertProblem(await patch('{"role":"activ"}'), 400, `body/role must be one of ${roles}`);
  assertProblem(await patch('{"role":"active","x":1}'), 400, 'body must not have "x"');
  assertProblem(await patch("{}"), 400, "body must have required property 'role'");
  const form = { method: "PATCH", headers: { "content-type": "text/plain" }, body: '{"role":"active"}' };
  assertProblem(await ask("/api/paths/adsl1", form), 415, "send content-type: application/json");
});

test("what is wrong with a query, too", async () => {
  for (const limit of ["x", "0", "-1", "1.5"])
    assertProblem(
      await ask(`/api/flows?limit=${limit}`),
      400,
      "querystring/limit must be a whole number from 1 on",
    );
  assert.equal((await ask("/api/flows?limit=1")).status, 200);
  assertProblem(await ask("/api/events?since=x"), 400, "querystring/since must be a whole number");
  assert.equal((await ask("/api/events?since=0")).status, 200);
});

test("another method than a path takes is 405, and says which it takes", async () => {
  for (const [method, path, allow] of [
    ["DELETE", "/api/status", "GET, HEAD"],
    ["POST", "/api/v1/flows?limit=1", "GET, HEAD"],
    ["GET", "/api/flows/7", "DELETE"],
    ["GET", "/api/paths/adsl1", "PATCH"],
    ["OPTIONS", "/assets/app.js", "GET, HEAD"],
    ["POST", "/assets/model/index.js", "GET, HEAD"],
  ] as const) {
    const answer = await ask(path, { method });
    assertProblem(answer, 405);
    assert.equal(answer.headers.allow, allow);
  }
  for (const path of ["/api/paths", "/api/paths/adsl1/x", "/assetsx", "/API/status"])
    assertProblem(await ask(path), 404, `there is no GET ${path}`);
});

test("HEAD is GET without its body, where GET has two forms as well", async () => {
  const answer = await ask("/api/events", { method: "HEAD", headers: { accept: "text/event-stream" } });
  assert.deepEqual([answer.status, answer.text], [200, ""]);
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
});

test("a malformed URL is a problem, with the security headers", async () => {
  const answer = await ask("/api/flows/%zz", { method: "DELETE" });
  assertProblem(answer, 400, "the URL is malformed: after % two hexadecimal digits are due");
  const long = await ask(`/api/flows/${"x".repeat(101)}`, { method: "DELETE" });
  assertProblem(long, 414, "a name in the URL is too long");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
});

/** A connection of its own, and all that comes on it. */
function open(): { readonly socket: Socket; readonly text: () => string } {
  const socket = connect(server.address.port, LISTEN.host);
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => (text += piece));
  socket.on("error", () => {});
  return { socket, text: () => text };
}

const HEAD = "HTTP/1.1\r\nHost: localhost\r\n";
const JSON_BODY = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

for (const [what, bytes, status] of [
  ["no HTTP", "GET / FTP/1.1\r\n\r\n", 400],
  ["an unknown method", `BREW /pot ${HEAD}\r\n`, 501],
  ["a large header", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["a body that is none", `PATCH /api/paths/adsl1 ${HEAD}${JSON_BODY}x\r\n`, 400],
] as const)
  test(`${what}: a problem and the end`, async () => {
    const { socket, text } = open();
    socket.write(bytes);
    await once(socket, "close");
    const [head = "", body = ""] = text().split("\r\n\r\n");
    assert.match(
      head,
      new RegExp(`^HTTP/1\\.1 ${status} .*\r\nContent-Type: application/problem\\+json\r\n`),
    );
    assert.equal(JSON.parse(body).status, status);
  });

test("without a Host header: a problem (RFC 9112, section 3.2)", async () => {
  const { socket, text } = open();
  socket.write("GET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n");
  await once(socket, "close");
  assert.match(text(), /^HTTP\/1\.1 400 [^]*"a Host header is needed"/);
});

test("a health check by HTTP/1.0 has no Host header, and is answered", async () => {
  const { socket, text } = open();
  socket.write("GET /healthz HTTP/1.0\r\n\r\n");
  await once(socket, "close");
  assert.match(text(), /^HTTP\/1\.1 (200|503) /);
});

const FOLLOWED = `GET /api/events ${HEAD}Accept: text/event-stream\r\n`;
for (const [what, request, bytes] of [
  ["garbage behind their request", `${FOLLOWED}\r\n`, "garbage\r\n\r\n"],
  [
    "behind it a request whose body is garbage",
    `${FOLLOWED}\r\n`,
    `PATCH /api/paths/adsl1 ${HEAD}${JSON_BODY}x\r\n`,
  ],
  ["garbage as its body", `${FOLLOWED}Transfer-Encoding: chunked\r\n\r\n`, "x\r\n"],
] as const)
  test(`events are under way, and ${what}: the end, and nothing among the events`, async () => {
    const { socket, text } = open();
    socket.write(request);
    while (!text().includes("retry: ")) await once(socket, "data");
    const before = text();
    socket.write(bytes);
    await once(socket, "close");
    assert.match(before, /^HTTP\/1\.1 200 /);
    assert.equal(text(), before);
  });

test("garbage behind a request that has no answer yet is not taken for its answer", async () => {
  const { socket, text } = open();
  socket.write(`GET /api/status ${HEAD}\r\ngarbage\r\n\r\n`);
  await once(socket, "close");
  assert.equal(text(), "");
});

test("garbage after an answer is told to be none", async () => {
  const { socket, text } = open();
  socket.write(`GET /api/status ${HEAD}\r\n`);
  while (!text().includes('"uptimeSeconds"')) await once(socket, "data");
  socket.write("garbage\r\n\r\n");
  await once(socket, "close");
  assert.match(text(), /^HTTP\/1\.1 200 [^]*\}HTTP\/1\.1 501 /);
});

test("the folder of the page's parts is no page", async () => {
  assertProblem(await ask("/assets"), 404, "there is no GET /assets");
});
