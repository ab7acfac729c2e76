import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type ServerEvent, serverEvents } from "../../dashboard/server-events.ts";
import { PATH_ROLES } from "../../wire/frames.ts";
import { GatewayApi } from "../cli/gateway-api.ts";
import { CodedError } from "../config/errors.ts";
import { createLogger } from "../log.ts";
import { EventLog, type GatewayEvent } from "./event-log.ts";
import { RequestError } from "./problems.ts";
import { createStatusServer, type StatusServer } from "./server.ts";
import type { FlowStatus, PathStatus, StatusReport, StatusSource } from "./types.ts";

const LISTEN = { host: "127.0.0.1", port: 0 };
const lines: string[] = [];
const logger = createLogger({
  role: "local",
  name: "test",
  level: "info",
  destination: { write: (line) => void lines.push(line) },
});

function path(name: string, change: Partial<PathStatus> = {}): PathStatus {
  return {
    name,
    state: "up",
    reason: "carries data",
    role: "active",
    roleSince: "2026-01-02T03:04:05.000Z",
    roleReason: "configured",
    subflows: 1,
    rttMs: 23.4,
    minRttMs: 18,
    sendRateBps: 800_000,
    receiveRateBps: 8_400_000,
    unackedBytes: 4096,
    sentBytes: 1_000_000,
    receivedBytes: 9_000_000,
    reinjectedBytes: 12,
    lastError: null,
    since: "2026-01-02T03:04:05.000Z",
    ...change,
  };
}

function local(...paths: PathStatus[]): StatusReport {
  const flows = { open: 2, total: 30, failed: 1 };
  const bytes = { sent: 2_000_000, received: 18_000_000, reinjected: 12 };
  return {
    role: "local",
    version: "0.1.0",
    uptimeSeconds: 61.5,
    session: { peer: "home", state: "up", flows, bytes, paths },
  };
}

let report: StatusReport = local(path("adsl1"), path("adsl2"));
const roles: [string, string][] = [];
let flows: FlowStatus[] = [
  {
    id: "7",
    from: "192.168.1.9:50000",
    to: "example.org:443",
    kind: "redirect",
    ageSeconds: 3,
    sentBytes: 10,
    receivedBytes: 20,
    paths: [{ name: "adsl1", sentBytes: 10, receivedBytes: 20 }],
  },
];
const cut: string[] = [];
const events = new EventLog(3);
const source: StatusSource = {
  events,
  status: () => report,
  flows: () => flows,
  setPathRole(name, role) {
    roles.push([name, role]);
    return name === "adsl1";
  },
  disconnectFlow(id) {
    cut.push(id);
    return flows.some((flow) => flow.id === id);
  },
};

let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, logger });
});
after(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  json(): unknown;
}

/** node:http, since fetch does not let Host and Origin be chosen. */
function ask(
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; port?: number } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body, port = server.address.port } = options;
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, path: target, method, headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, text, json: (): unknown => JSON.parse(text) });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

function patch(name: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(`/api/paths/${name}`, {
    method: "PATCH",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

function assertProblem(answer: Answer, status: number, detail?: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/);
  const problem = answer.json();
  assert.ok(typeof problem === "object" && problem !== null && "title" in problem);
  if (detail === undefined) return;
  assert.deepEqual(problem, { type: "about:blank", title: problem.title, status, detail });
}

test("the status and the flows are what the source says", async () => {
  report = local(path("adsl1"), path("adsl2", { state: "down", rttMs: null, lastError: "ETIMEDOUT" }));
  assert.deepEqual((await ask("/api/status")).json(), report);
  assert.deepEqual((await ask("/api/flows")).json(), source.flows());
  const sessions = report.role === "local" ? [report.session] : [];
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 1, sessions };
  assert.deepEqual((await ask("/api/status")).json(), report);
});

test("what is not in the interface does not get out, and infinite numbers do not break it", async () => {
  const odd = path("adsl1", { minRttMs: Number.POSITIVE_INFINITY, sendRateBps: Number.NaN });
  report = local(Object.assign(odd, { psk: "hush" }));
  const answer = await ask("/api/status");
  assert.deepEqual(answer.json(), local(path("adsl1", { minRttMs: null, sendRateBps: 0 })));
});

test("healthy is a gateway with a path that is up", async () => {
  report = local(path("adsl1", { state: "down", lastError: "ENETUNREACH" }), path("adsl2"));
  let answer = await ask("/healthz");
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), { status: "up", reason: "1 of 2 paths are up", pathsUp: 1, paths: 2 });
  report = local(
    path("adsl1", { state: "down", lastError: "ENETUNREACH" }),
    path("lte", { state: "disabled" }),
  );
  answer = await ask("/healthz");
  assert.equal(answer.status, 503);
  const reason = "no path is up: adsl1 down (ENETUNREACH), lte disabled";
  assert.deepEqual(answer.json(), { status: "down", reason, pathsUp: 0, paths: 2 });
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 1, sessions: [] };
  assert.equal((await ask("/healthz")).status, 503);
});

test("a role is changed, or it is said why not", async () => {
  report = local(path("adsl1"));
  const changed = await patch("adsl1", '{"role":"backup"}');
  assert.equal(changed.status, 200);
  assert.deepEqual(changed.json(), { name: "adsl1", role: "backup" });
  assert.equal((await patch("adsl1", '{"role":"overflow"}')).status, 200);
  assert.deepEqual(roles, [
    ["adsl1", "backup"],
    ["adsl1", "overflow"],
  ]);
  assertProblem(await patch("adsl9", '{"role":"backup"}'), 404, 'there is no path "adsl9"');
  roles.length = 0;
  for (const body of [
    '{"role":"fast"}',
    "{}",
    '{"role":["backup"]}',
    '{"role":"backup","x":1}',
    "[]",
    "{",
    "",
  ]) {
    const refused = await patch("adsl1", body);
    assert.equal(refused.status, 400, body);
    assert.match(String(refused.headers["content-type"]), /^application\/problem\+json/);
  }
  assert.equal((await patch("adsl1", '{"role":"backup"}', { "content-type": "text/plain" })).status, 415);
  assert.equal((await patch("adsl1", `{"role":"${"x".repeat(2000)}"}`)).status, 413);
  assertProblem(await ask("/api/none"), 404, "there is no GET /api/none");
  assert.deepEqual(roles, []);
});

test("a gateway that does not decide roles says who does", async () => {
  const remote = await createStatusServer(
    { events, status: () => report, flows: () => [] },
    { listen: LISTEN, logger },
  );
  try {
    const headers = { "content-type": "application/json" };
    const options = { method: "PATCH", headers, body: '{"role":"backup"}', port: remote.address.port };
    const detail = "the local gateway decides the roles of its paths; ask it";
    assertProblem(await ask("/api/paths/adsl1", options), 405, detail);
  } finally {
    await remote.close();
  }
});

test("foreign pages are refused", async () => {
  report = local(path("adsl1"));
  for (const host of [
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "[2001:db8::1]",
    "10.0.0.1",
  ]) {
    const answer = await ask("/api/status", { headers: { host } });
    assert.equal(answer.status, 403, host);
  }
  for (const host of ["localhost:9000", "127.0.0.1", "127.0.0.2:1", "[::1]:8080", "LOCALHOST"]) {
    assert.equal((await ask("/api/status", { headers: { host } })).status, 200, host);
  }
  const own = server.url.slice("http://".length);
  const body = '{"role":"active"}';
  assert.equal((await patch("adsl1", body, { host: own, origin: `http://${own}` })).status, 200);
  assert.equal((await patch("adsl1", body, { "sec-fetch-site": "same-origin" })).status, 200);
  for (const headers of [
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
  ]) {
    assert.equal((await patch("adsl1", body, headers)).status, 403);
  }
  for (const site of ["cross-site", "same-site"]) {
    assert.equal((await patch("adsl1", body, { "sec-fetch-site": site })).status, 403);
    const from = { "sec-fetch-site": site };
    assert.equal(
      (await ask("/api/status", { headers: { ...from, "sec-fetch-mode": "no-cors" } })).status,
      403,
    );
    assert.equal((await ask("/", { headers: { ...from, "sec-fetch-mode": "navigate" } })).status, 200);
  }
});

test("every answer has the security headers", async () => {
  for (const target of ["/", "/api/status", "/healthz", "/metrics", "/docs", "/none"]) {
    const { headers } = await ask(target);
    assert.equal(headers["x-content-type-options"], "nosniff", target);
    assert.equal(headers["x-frame-options"], "DENY", target);
    assert.equal(headers["referrer-policy"], "no-referrer", target);
    assert.equal(headers["cross-origin-opener-policy"], "same-origin", target);
    assert.equal(headers["cross-origin-resource-policy"], "same-origin", target);
    assert.equal(headers["cross-origin-embedder-policy"], "require-corp", target);
    assert.equal(headers["cache-control"], "no-store", target);
    assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe|\*/, target);
    assert.match(
      String(headers["content-security-policy"]),
      /default-src 'none'.*frame-ancestors 'none'/,
      target,
    );
    assert.equal(headers["access-control-allow-origin"], undefined, target);
  }
});

test("the documentation is of the routes that there are", async () => {
  const document = (await ask("/docs/json")).json() as {
    paths: Record<string, Record<string, { responses: object }>>;
  };
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/",
    "/api",
    "/api/events",
    "/api/flows",
    "/api/flows/{id}",
    "/api/history",
    "/api/paths/{name}",
    "/api/paths/{name}/drill",
    "/api/speedtest",
    "/api/status",
    "/assets/{file}",
    "/docs",
    "/docs/json",
    "/healthz",
    "/metrics",
  ]);
  assert.deepEqual(Object.keys(document.paths["/api/paths/{name}"]?.["patch"]?.responses ?? {}), [
    "200",
    "4XX",
    "5XX",
  ]);
  assert.match((await ask("/docs")).text, /PATCH \/api\/paths\/\{name\}/);
});

test("an error of the source is logged, and not told", async () => {
  const broken = await createStatusServer(
    {
      events,
      status: () => {
        throw new Error("hush");
      },
      flows: () => [],
    },
    { listen: LISTEN, logger },
  );
  try {
    lines.length = 0;
    const answer = await ask("/api/status", { port: broken.address.port });
    assertProblem(answer, 500, "the gateway failed to answer; its log says why");
    assert.match(lines.join(""), /hush/);
  } finally {
    await broken.close();
  }
});

test("an address that cannot be had is said to be so", async () => {
  const taken = createStatusServer(source, { listen: server.address, logger });
  await assert.rejects(taken, (error) => {
    assert.ok(error instanceof CodedError);
    const address = `127.0.0.1:${server.address.port}`;
    assert.equal(
      error.message,
      `status.listen: ${address} is in use; choose another port or stop the program that has it`,
    );
    assert.equal(error.code, "STATUS_LISTEN");
    assert.equal(error.exitCode, 1);
    return true;
  });
  const foreign = createStatusServer(source, { listen: { host: "192.0.2.1", port: 0 }, logger });
  await assert.rejects(foreign, {
    message: /^status\.listen: 192\.0\.2\.1:0 is not an address of this machine/,
  });
});

test("closing does not wait for clients that hold on", async () => {
  const held = await createStatusServer(source, { listen: LISTEN, logger });
  const socket = connect(held.address.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  await held.close();
  socket.destroy();
});

test("the API says what it is; v1 of it is the same", async () => {
  const about = {
    apiVersion: 1,
    gateway: report.role,
    version: "0.1.0",
    controls: { roles: [...PATH_ROLES], disconnect: true, drill: false, speedtest: false },
  };
  assert.deepEqual((await ask("/api")).json(), about);
  assert.deepEqual((await ask("/api/v1")).json(), about);
  assert.deepEqual((await ask("/api/v1/flows?limit=1")).json(), source.flows());
  assert.equal((await ask("/api/v2/flows")).status, 404);
});

test("flows are searched, sorted and counted by the gateway", async () => {
  const flow = source.flows()[0] as FlowStatus;
  flows = [1, 2, 3].map((n) => ({ ...flow, id: `s-${n}`, to: `host${n}:443`, receivedBytes: n * 10 }));
  const found = await ask("/api/flows?search=HOST&sort=receivedBytes&order=desc&limit=2");
  assert.deepEqual(
    (found.json() as FlowStatus[]).map(({ id }) => id),
    ["s-3", "s-2"],
  );
  assert.equal(found.headers["x-total-count"], "3");
  assert.deepEqual((await ask("/api/flows?search=host2")).json(), [flows[1]]);
  for (const query of ["sort=colour", "order=up", "limit=-1", "limit=x"])
    assertProblem(await ask(`/api/flows?${query}`), 400);
});

test("a flow is cut, or it is said why not; what is not offered neither", async () => {
  assert.equal((await ask("/api/flows/s-2", { method: "DELETE" })).status, 204);
  assert.deepEqual(cut, ["s-2"]);
  assertProblem(await ask("/api/flows/s-9", { method: "DELETE" }), 404, 'there is no flow "s-9"');
  assert.equal((await ask("/api/flows/s-2", { method: "DELETE", headers: { origin: "null" } })).status, 403);
  const headers = { "content-type": "application/json" };
  const drill = { method: "POST", headers, body: '{"seconds":5}' };
  assertProblem(await ask("/api/paths/adsl1/drill", drill), 501);
  assertProblem(await ask("/api/paths/adsl1/drill", { ...drill, body: '{"seconds":0}' }), 400);
  assertProblem(await ask("/api/speedtest", { method: "POST" }), 501);
});

test("a drill that is offered is run; why it cannot be is told", async () => {
  const done = {
    path: "adsl1",
    seconds: 5,
    flows: { open: 2, failed: 0 },
    bytes: { sent: 1, received: 2 },
    longestGapMs: 80,
    upAfterMs: 70,
    backAfterMs: null,
    reinjectedBytes: 9,
  };
  const drill: NonNullable<StatusSource["drill"]> = async (path, seconds) => {
    if (path !== "adsl1") throw new RequestError(409, `${path} is the only line`);
    return { ...done, path, seconds };
  };
  const willing = await createStatusServer({ ...source, drill }, { listen: LISTEN, logger });
  try {
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", headers, body: '{"seconds":5}', port: willing.address.port };
    assert.deepEqual((await ask("/api/paths/adsl1/drill", options)).json(), done);
    assertProblem(await ask("/api/paths/lte/drill", options), 409, "lte is the only line");
  } finally {
    await willing.close();
  }
});

test("a speed test: with its progress as events, or its results alone; a problem is told either way", async () => {
  const speed = {
    downBps: 8e6,
    upBps: 1e6,
    latencyMs: 20,
    downLatencyMs: 40,
    upLatencyMs: null,
    error: null,
  };
  const progress = { name: "adsl1", phase: "down", share: 0.5, bps: 8e6, bytes: 1_000 } as const;
  const speedtest: NonNullable<StatusSource["speedtest"]> = async ({ paths = ["adsl1"] }, _, onProgress) => {
    if (paths.includes("lte")) throw new RequestError(409, "lte is down");
    onProgress(progress);
    return paths.map((name) => ({ name, ...speed }));
  };
  const willing = await createStatusServer({ ...source, speedtest }, { listen: LISTEN, logger });
  const post = (body?: string) => {
    const typed = body === undefined ? {} : { body, headers: { "content-type": "application/json" } };
    return ask("/api/speedtest", { method: "POST", port: willing.address.port, ...typed });
  };
  const api = new GatewayApi({ listen: willing.address, token: undefined });
  const events = async (body: unknown): Promise<[string, unknown][]> => {
    const seen: [string, unknown][] = [];
    for await (const { event, data } of api.events("/api/speedtest", { method: "POST", body }))
      seen.push([event, JSON.parse(data)]);
    return seen;
  };
  try {
    assert.deepEqual((await post()).json(), [{ name: "adsl1", ...speed }]);
    assertProblem(await post('{"paths":["lte"]}'), 409, "lte is down");
    assertProblem(await post('{"seconds":3600}'), 400);
    assert.deepEqual(await events({ paths: ["adsl2"] }), [
      ["progress", progress],
      ["results", [{ name: "adsl2", ...speed }]],
    ]);
    assert.deepEqual(await events({ paths: ["lte"] }), [["problem", { status: 409, detail: "lte is down" }]]);
  } finally {
    await willing.close();
  }
});

test("events: the last ones as a list, from where the reader was", async () => {
  for (const name of ["a", "b", "c", "d"]) events.add("path-down", `${name} is down`, { path: name });
  const list = (await ask("/api/events")).json() as GatewayEvent[];
  assert.deepEqual(
    list.map(({ path: name, level }) => [name, level]),
    ["b", "c", "d"].map((name) => [name, "warn"]),
  );
  const second = list[1]?.id as number;
  const later = await ask(`/api/events?since=${second}`);
  assert.deepEqual(later.json(), [list[2]]);
  // Of another run of the gateway, whose clock was ahead: everything is new.
  assert.equal(((await ask(`/api/events?since=${second + 1e9}`)).json() as unknown[]).length, 3);
  assertProblem(await ask("/api/events?since=x"), 400);
});

test("events: a stream that goes on where it was lost, with a report at once", async () => {
  const since = events.since().at(-2)?.id as number;
  const stop = new AbortController();
  const headers = { accept: "text/event-stream", "last-event-id": String(since) };
  const answer = await fetch(`${server.url}/api/events?status=1`, { headers, signal: stop.signal });
  assert.match(String(answer.headers.get("content-type")), /^text\/event-stream/);
  const seen: ServerEvent[] = [];
  for await (const event of serverEvents(answer.body as AsyncIterable<Uint8Array>)) {
    seen.push(event);
    if (seen.length === 2) events.add("path-back", "d is back", { path: "d" });
    if (seen.length === 3) break;
  }
  stop.abort();
  const texts = seen.map(({ type, data }) => [
    type,
    type === "log" ? (JSON.parse(data) as GatewayEvent).message : "",
  ]);
  assert.deepEqual(texts, [
    ["log", "d is down"],
    ["status", ""],
    ["log", "d is back"],
  ]);
  assert.deepEqual(JSON.parse(seen[1]?.data as string), report);
  assert.equal(Number(seen[2]?.id), since + 2);
});

test("event streams are few, and one that was left is free again", async () => {
  const open = (signal: AbortSignal): Promise<Response> =>
    fetch(`${server.url}/api/events`, { headers: { accept: "text/event-stream" }, signal });
  const left = new AbortController();
  const answers = await Promise.all(Array.from({ length: 33 }, () => open(left.signal)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 32);
  assert.equal(answers.filter(({ status }) => status === 503).length, 1);
  left.abort();
  for (let status = 503; status !== 200; ) {
    const next = new AbortController();
    ({ status } = await open(next.signal));
    next.abort();
  }
});
