import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLogger, keptLog } from "@hawser/gateway-kit";
import { PATH_ROLES } from "@hawser/shared-protocol";
import { type ServerEvent, serverEvents } from "../model/server-events.ts";
import type { GatewayEvent } from "../schemas/events.ts";
import type { FlowStatus } from "../schemas/flows.ts";
import {
  type Answer,
  ask as askAt,
  assertProblem,
  LISTEN,
  type Question,
  sampleFlow,
  sampleReport,
} from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";
import type { StatusSource } from "./source.ts";

const report = sampleReport();
let flows: FlowStatus[] = [sampleFlow];
const cut: string[] = [];
const events = new EventLog(3);
const source: StatusSource = {
  events,
  status: () => report,
  flows: () => flows,
  setPathRole: () => true,
  disconnectFlow(id) {
    cut.push(id);
    return flows.some((flow) => flow.id === id);
  },
};

const log = keptLog();
const logger = createLogger({
  role: "local",
  name: "test",
  level: "info",
  destination: { write() {} },
  kept: log,
});
let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, logger, log });
});
after(() => server.close());

const ask = (path: string, question?: Question): Promise<Answer> =>
  askAt(server.address.port, path, question);

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

test("a flow is cut, or it is said why not", async () => {
  assert.equal((await ask("/api/flows/s-2", { method: "DELETE" })).status, 204);
  assert.deepEqual(cut, ["s-2"]);
  const told = `the flow from ${sampleFlow.from} to host2:443 was cut through the API`;
  const { type, message } = events.since().at(-1) as GatewayEvent;
  assert.deepEqual([type, message], ["flow-cut", told]);
  assertProblem(await ask("/api/flows/s-9", { method: "DELETE" }), 404, 'there is no flow "s-9"');
  assert.equal((await ask("/api/flows/s-2", { method: "DELETE", headers: { origin: "null" } })).status, 403);
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

test("logs: the last lines as they were written, and a stream that goes on", async () => {
  for (const n of [1, 2, 3]) logger.child({ path: "adsl1" }).warn({ n }, "a line");
  const lines = (await ask("/api/logs?lines=2")).json() as Record<string, unknown>[];
  assert.deepEqual(
    lines.map(({ level, path, n, msg }) => [level, path, n, msg]),
    [2, 3].map((n) => ["warn", "adsl1", n, "a line"]),
  );
  assertProblem(await ask("/api/logs?lines=0"), 400);
  const stop = new AbortController();
  const headers = { accept: "text/event-stream" };
  const answer = await fetch(`${server.url}/api/logs?lines=1`, { headers, signal: stop.signal });
  const seen: number[] = [];
  let last = "";
  for await (const { id, data } of serverEvents(answer.body as AsyncIterable<Uint8Array>)) {
    seen.push((JSON.parse(data) as { n: number }).n);
    last = String(id);
    if (seen.length === 1) logger.info({ n: 4 }, "a line");
    else break;
  }
  stop.abort();
  assert.deepEqual(seen, [3, 4]);
  // A browser comes again with the address it had, and the last id.
  for (const n of [5, 6]) logger.info({ n }, "a line");
  const later = (await ask("/api/logs?lines=1", { headers: { "last-event-id": last } })).json();
  assert.deepEqual(
    (later as { n: number }[]).map(({ n }) => n),
    [5, 6],
  );
});

test("logs: a stream begins with all that is kept, however long the lines are", async () => {
  for (let n = 0; n < 200; n++) logger.info({ n }, "x".repeat(10_000));
  const stop = new AbortController();
  const headers = { accept: "text/event-stream" };
  const answer = await fetch(`${server.url}/api/logs?lines=200`, { headers, signal: stop.signal });
  let count = 0;
  for await (const _ of serverEvents(answer.body as AsyncIterable<Uint8Array>)) if (++count === 200) break;
  stop.abort();
  assert.equal(count, 200);
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
