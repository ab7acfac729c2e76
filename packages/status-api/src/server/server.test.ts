import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { CodedError } from "@hawser/gateway-kit/config";
import type { LocalStatusReport, PathStatus, StatusReport } from "../schemas/status.ts";
import {
  type Answer,
  ask as askAt,
  assertProblem,
  LISTEN,
  type Question,
  sampleFlow,
  samplePages,
  samplePath,
  sampleReport,
  withJson,
} from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";
import type { StatusSource } from "./source.ts";

const lines: string[] = [];
const logger = createLogger({
  role: "local",
  name: "test",
  level: "info",
  destination: { write: (line) => void lines.push(line) },
});

const reportOf = (...paths: PathStatus[]): LocalStatusReport => sampleReport({ paths });

let report: StatusReport = reportOf(samplePath("adsl1"), samplePath("adsl2"));
const roles: [string, string][] = [];
let isStopping = false;
const events = new EventLog();
const source: StatusSource = {
  events,
  get isStopping() {
    return isStopping;
  },
  status: () => report,
  flows: () => [sampleFlow],
  setPathRole(name, role) {
    roles.push([name, role]);
    return name === "adsl1";
  },
};

let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, pages: samplePages, logger });
});
after(() => server.close());

const ask = (path: string, question?: Question): Promise<Answer> =>
  askAt(server.address.port, path, question);
const patch = (name: string, body: string, headers?: Record<string, string>): Promise<Answer> =>
  ask(`/api/paths/${name}`, withJson("PATCH", body, headers));

test("the status and the flows are what the source says", async () => {
  report = reportOf(
    samplePath("adsl1"),
    samplePath("adsl2", { state: "down", rttMs: null, lastError: "ETIMEDOUT" }),
  );
  assert.deepEqual((await ask("/api/status")).json(), report);
  assert.deepEqual((await ask("/api/flows")).json(), source.flows());
  const sessions = report.role === "local" ? [report.session] : [];
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 1, sessions };
  assert.deepEqual((await ask("/api/status")).json(), report);
});

test("what is not in the interface does not get out, and infinite numbers do not break it", async () => {
  const odd = samplePath("adsl1", { minRttMs: Number.POSITIVE_INFINITY, sendRateBps: Number.NaN });
  report = reportOf(Object.assign(odd, { psk: "hush" }));
  const answer = await ask("/api/status");
  assert.deepEqual(answer.json(), reportOf(samplePath("adsl1", { minRttMs: null, sendRateBps: 0 })));
});

test("healthy is a gateway with a path that is up", async () => {
  report = reportOf(samplePath("adsl1", { state: "down", lastError: "ENETUNREACH" }), samplePath("adsl2"));
  let answer = await ask("/healthz");
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), { status: "up", reason: "1 of 2 lines are up", pathsUp: 1, paths: 2 });
  report = reportOf(
    samplePath("adsl1", { state: "down", lastError: "ENETUNREACH" }),
    samplePath("lte", { state: "disabled" }),
  );
  answer = await ask("/healthz");
  assert.equal(answer.status, 503);
  const reason = "no line is up: adsl1 down (ENETUNREACH), lte disabled";
  assert.deepEqual(answer.json(), { status: "down", reason, pathsUp: 0, paths: 2 });
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 1, sessions: [] };
  assert.equal((await ask("/healthz")).status, 503);
});

test("a gateway whose redirect rules are not in place is not healthy, and says why", async () => {
  const local = reportOf(samplePath("adsl1"));
  report = {
    ...local,
    rules: { inPlace: false, trouble: "nft took the redirect rules away" },
  };
  const answer = await ask("/healthz");
  assert.equal(answer.status, 503);
  const reason = "nft took the redirect rules away";
  assert.deepEqual(answer.json(), { status: "down", reason, pathsUp: 1, paths: 1 });
  assert.deepEqual((await ask("/api/status")).json(), report);
  report = { ...local, rules: { inPlace: true, trouble: null } };
  assert.equal((await ask("/healthz")).status, 200);
});

test("a gateway that is stopping is not healthy, whatever its paths are", async () => {
  report = reportOf(samplePath("adsl1"));
  isStopping = true;
  const answer = await ask("/healthz");
  isStopping = false;
  assert.equal(answer.status, 503);
  const reason = "the gateway is stopping and takes no new connections";
  assert.deepEqual(answer.json(), { status: "down", reason, pathsUp: 1, paths: 1 });
});

test("a role is changed, or it is said why not", async () => {
  const roleReason = "its quota is used up";
  report = reportOf(samplePath("adsl1", { roleInForce: "disabled", roleReason }));
  const changed = await patch("adsl1", '{"role":"backup"}');
  assert.equal(changed.status, 200);
  assert.deepEqual(changed.json(), { name: "adsl1", role: "backup", roleInForce: "disabled", roleReason });
  assert.equal((await patch("adsl1", '{"role":"overflow"}')).status, 200);
  assert.deepEqual(roles, [
    ["adsl1", "backup"],
    ["adsl1", "overflow"],
  ]);
  assertProblem(
    await patch("adsl9", '{"role":"backup"}'),
    404,
    'there is no path "adsl9"; the paths are adsl1',
  );
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
    const asked = await askAt(
      remote.address.port,
      "/api/paths/adsl1",
      withJson("PATCH", '{"role":"backup"}'),
    );
    assertProblem(asked, 405, "the local gateway decides the roles of its paths; ask it");
  } finally {
    await remote.close();
  }
});

test("foreign pages are refused", async () => {
  report = reportOf(samplePath("adsl1"));
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
    const answer = await askAt(broken.address.port, "/api/status");
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
