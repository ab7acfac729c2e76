import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { Secret } from "@hawser/shared-protocol";
import { createStatusServer, EventLog, type StatusServer } from "@hawser/status-api";
import { GatewayApi } from "@hawser/status-api/client";
import type { StatusReport } from "@hawser/status-api/model";
import { samplePath, sampleReport } from "@hawser/status-api/testing";
import { get, hasToken, request, send, setToken, TokenNeeded } from "./page/api.ts";
import { dashboard } from "./page.ts";

const TOKEN = "an-example-of-24-chars-x";
const REPORT: StatusReport = sampleReport({ paths: [samplePath("x", { state: "down" })] });
const lines: string[] = [];
const logger = createLogger({
  role: "remote",
  name: "test",
  level: "info",
  destination: { write: (line) => void lines.push(line) },
});

let server: StatusServer;
const roles: string[] = [];
beforeEach(async () => {
  server = await createStatusServer(
    {
      events: new EventLog(),
      status: () => REPORT,
      flows: () => [],
      setPathRole: (name) => roles.push(name) > 0,
    },
    { listen: { host: "127.0.0.1", port: 0 }, token: Secret.fromText(TOKEN), pages: dashboard, logger },
  );
});
afterEach(() => server.close());

function ask(
  path: string,
  authorization?: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  const headers = { ...init.headers, ...(authorization !== undefined && { authorization }) };
  return fetch(server.url + path, { ...init, headers });
}

const PATCH = {
  method: "PATCH",
  headers: { "content-type": "application/json" },
  body: '{"role":"backup"}',
};

test("without the token nothing is told or changed; with it everything is", async () => {
  for (const path of [
    "/api",
    "/api/status",
    "/api/v1/status",
    "/api/flows",
    "/api/events",
    "/api/history",
    "/metrics",
    "/docs/json",
    "/none",
    "/api/paths/x",
    "/docs/x",
  ]) {
    const answer = await ask(path);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="hawser"', path);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/, path);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const { status, detail } = (await answer.json()) as { status: number; detail: string };
    assert.equal(status, 401);
    assert.match(detail, /^a token is needed: status\.token .* Authorization: Bearer TOKEN$/);
  }
  assert.equal((await ask("/api/paths/x", undefined, PATCH)).status, 401);
  assert.deepEqual(roles, []);
  for (const path of ["/api/status", "/api/flows", "/metrics", "/docs/json"])
    assert.equal((await ask(path, `Bearer ${TOKEN}`)).status, 200, path);
  assert.equal((await ask("/none", `bearer ${TOKEN}`)).status, 404);
  assert.equal((await ask("/api/paths/x", `Bearer ${TOKEN}`, PATCH)).status, 200);
  assert.deepEqual(roles, ["x"]);
});

test("pages are served to all, and say nothing of the gateway; health is yes or no", async () => {
  for (const path of [
    "/",
    "/docs",
    "/docs/assets/docs.js",
    "/assets/dashboard/main.js",
    "/assets/dashboard.css",
  ]) {
    const answer = await ask(path);
    assert.equal(answer.status, 200, path);
    assert.doesNotMatch(await answer.text(), /0\.1\.0/);
  }
  const health = await ask("/healthz");
  assert.equal(health.status, 503);
  assert.deepEqual(await health.json(), { status: "down" });
  const why = { status: "down", reason: "no line is up: x down", pathsUp: 0, paths: 1 };
  assert.deepEqual(await (await ask("/healthz", `Bearer ${TOKEN}`)).json(), why);
  assert.equal((await ask("/", undefined, { method: "POST" })).status, 401);
});

test("a wrong token is refused, and after ten answered by 429; the right one is taken at any time; the log is short", async () => {
  lines.length = 0;
  const wrong = [
    "x",
    TOKEN.slice(1),
    TOKEN.slice(0, -1),
    `${TOKEN}x`,
    TOKEN.toUpperCase(),
    ...Array.from({ length: 5 }, (_, n) => `guess-${n}`),
  ];
  for (const token of wrong) {
    const answer = await ask("/api/status", `Bearer ${token}`);
    assert.equal(answer.status, 401, token);
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="hawser", error="invalid_token"');
  }
  const answer = await ask("/api/status", "Bearer another-guess");
  assert.equal(answer.status, 429);
  assert.ok(
    lines.length === 3 && lines.every((line) => line.includes("127.0.0.1") && !line.includes("guess")),
  );
  const seconds = Number(answer.headers.get("retry-after"));
  assert.ok(seconds > 30 && seconds <= 60, `${seconds} s`);
  assert.equal((await ask("/api/status", `Bearer ${TOKEN}`)).status, 200);
  assert.equal((await ask("/api/status")).status, 401);
  assert.equal((await ask("/")).status, 200);
});

test("other schemes and none are not counted as guesses", async () => {
  for (const header of [
    undefined,
    "",
    "Bearer",
    `Basic ${TOKEN}`,
    `Token ${TOKEN}`,
    `Bearer ${TOKEN} x`,
    "Bearer \u00e9",
  ])
    for (let n = 0; n < 3; n++) assert.equal((await ask("/api/status", header)).status, 401, header);
  assert.equal((await ask("/api/status", `Bearer ${TOKEN}`)).status, 200);
});

test("the status command shows the token, and says when it is not the right one", async () => {
  assert.deepEqual(
    await new GatewayApi({ listen: server.address, token: Secret.fromText(TOKEN) }).ask("/api/status"),
    REPORT,
  );
  const address = server.url.slice("http://".length);
  await assert.rejects(new GatewayApi({ listen: server.address, token: undefined }).ask("/api/status"), {
    code: "STATUS_UNREACHABLE",
    message: `${address}: the gateway does not accept the token; was it started with this configuration? (status.listen in its file says where)`,
  });
});

test("the page's requests show the token that it was given, and say when it is needed or wrong", async (t) => {
  const stored = new Map<string, string>();
  const sessionStorage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  };
  Object.defineProperty(globalThis, "sessionStorage", { value: sessionStorage, configurable: true });
  const { fetch } = globalThis;
  t.mock.method(globalThis, "fetch", (path: string, init: RequestInit) => fetch(server.url + path, init));
  await assert.rejects(request("/api/status"), (error) => {
    assert.ok(error instanceof TokenNeeded && !hasToken());
    assert.match(error.message, /^a token is needed/);
    return true;
  });
  setToken("not-the-right-one");
  await assert.rejects(request("/api/status"), (error) => {
    assert.ok(error instanceof TokenNeeded && hasToken());
    assert.match(error.message, /^the token is wrong/);
    return true;
  });
  setToken(TOKEN);
  roles.length = 0;
  const stream = await request("/api/events", { headers: { accept: "text/event-stream" } });
  assert.equal(stream.headers.get("content-type"), "text/event-stream");
  await stream.body?.cancel();
  await send("PATCH", "/api/paths/x", { role: "backup" });
  assert.deepEqual(roles, ["x"]);
  for (let n = 0; n < 10; n++) assert.deepEqual(await get("/api/status"), REPORT);
});
