import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { GatewayApi } from "../client/gateway-api.ts";
import { type Answer, ask, assertProblem, LISTEN, sampleReport, withJson } from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { RequestError } from "./problems.ts";
import { createStatusServer } from "./server.ts";
import type { StatusSource } from "./source.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });
const source: StatusSource = { events: new EventLog(), status: () => sampleReport(), flows: () => [] };

test("what is not offered is said to be so, after what was asked wrongly", async () => {
  const unwilling = await createStatusServer(source, { listen: LISTEN, logger });
  try {
    const { port } = unwilling.address;
    const drill = "/api/paths/adsl1/drill";
    assertProblem(await ask(port, drill, withJson("POST", '{"seconds":5}')), 501);
    assertProblem(await ask(port, drill, withJson("POST", '{"seconds":0}')), 400);
    assertProblem(await ask(port, "/api/speedtest", { method: "POST" }), 501);
  } finally {
    await unwilling.close();
  }
});

/** The events of a trial that is followed. */
async function follow(
  listen: { readonly host: string; readonly port: number },
  path: string,
  body: unknown,
): Promise<[string, unknown][]> {
  const seen: [string, unknown][] = [];
  const api = new GatewayApi({ listen, token: undefined });
  for await (const { type, data } of api.events(path, { method: "POST", body }))
    seen.push([type, JSON.parse(data)]);
  return seen;
}

test("a drill that is offered is run, and followed; why it cannot be is told", async () => {
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
  const progress = { phase: "out", elapsedSeconds: 2, downBps: 8e6, upBps: 1, longestGapMs: 80 } as const;
  const drill: NonNullable<StatusSource["drill"]> = async (path, seconds, _, onProgress) => {
    if (path !== "adsl1") throw new RequestError(409, `${path} is the only line`);
    onProgress(progress);
    return { ...done, path, seconds };
  };
  const willing = await createStatusServer({ ...source, drill }, { listen: LISTEN, logger });
  try {
    const { port } = willing.address;
    const post = withJson("POST", '{"seconds":5}');
    assert.deepEqual((await ask(port, "/api/paths/adsl1/drill", post)).json(), done);
    assertProblem(await ask(port, "/api/paths/lte/drill", post), 409, "lte is the only line");
    assert.deepEqual(await follow(willing.address, "/api/paths/adsl1/drill", { seconds: 5 }), [
      ["progress", progress],
      ["report", done],
    ]);
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
  const progress = {
    name: "adsl1",
    round: 0,
    rounds: 1,
    phase: "down",
    share: 0.5,
    bps: 8e6,
    bytes: 1_000,
    result: { name: "adsl1", ...speed },
  } as const;
  const speedtest: NonNullable<StatusSource["speedtest"]> = async ({ paths = ["adsl1"] }, _, onProgress) => {
    if (paths.includes("lte")) throw new RequestError(409, "lte is down");
    onProgress(progress);
    return paths.map((name) => ({ name, ...speed }));
  };
  const willing = await createStatusServer({ ...source, speedtest }, { listen: LISTEN, logger });
  const post = (body?: string): Promise<Answer> =>
    ask(
      willing.address.port,
      "/api/speedtest",
      body === undefined ? { method: "POST" } : withJson("POST", body),
    );
  const events = (body: unknown) => follow(willing.address, "/api/speedtest", body);
  try {
    assert.deepEqual((await post()).json(), [{ name: "adsl1", ...speed }]);
    assertProblem(await post('{"paths":["lte"]}'), 409, "lte is down");
    assertProblem(await post('{"seconds":3600}'), 400, "body/seconds must be <= 20");
    assert.deepEqual(await events({ paths: ["adsl2"] }), [
      ["progress", progress],
      ["results", [{ name: "adsl2", ...speed }]],
    ]);
    assert.deepEqual(await events({ paths: ["lte"] }), [["problem", { status: 409, detail: "lte is down" }]]);
  } finally {
    await willing.close();
  }
});

test("a trial that fails inside is logged, and told without why: followed or not", async () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const drill = async (): Promise<never> => {
    throw new Error("inner secret");
  };
  const failing = await createStatusServer(
    { ...source, drill },
    { listen: LISTEN, logger: createLogger({ role: "local", name: "test", level: "info", destination }) },
  );
  const path = "/api/paths/adsl1/drill";
  const detail = "the gateway failed to answer; its log says why";
  try {
    assertProblem(await ask(failing.address.port, path, withJson("POST", '{"seconds":5}')), 500, detail);
    assert.deepEqual(await follow(failing.address, path, { seconds: 5 }), [
      ["problem", { status: 500, detail }],
    ]);
  } finally {
    await failing.close();
  }
  const logged = lines.map((line) => JSON.parse(line)).map(({ msg, url, err }) => [msg, url, err.message]);
  const once = ["status request failed", path, "inner secret"];
  assert.deepEqual(logged, [once, once]);
});
