import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathStatus, SessionStatus, StatusReport } from "../schemas/status.ts";
import { samplePath } from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createMetrics } from "./metrics.ts";

const path = (name: string, change: Partial<PathStatus> = {}): PathStatus =>
  samplePath(name, {
    subflows: 2,
    rttMs: 23,
    minRttMs: null,
    sendRateBps: 800_000,
    sentBytes: 1000,
    receivedBytes: 9000,
    ...change,
  });

function session(peer: string, ...paths: PathStatus[]): SessionStatus {
  const flows = { open: 2, total: 30, failed: 1 };
  return { peer, state: "degraded", flows, bytes: { sent: 5, received: 6, reinjected: 7 }, paths };
}

const quota = {
  limitBytes: 5e9,
  usedBytes: 4e9,
  leftBytes: 1e9,
  counts: "both",
  whenReached: "backup",
  reached: false,
  resetsAt: "2026-02-01T00:00:00.000Z",
} as const;

/** Metric with labels -> value, of Prometheus's text format; every line must be a comment or a sample. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || /^# (HELP|TYPE) [a-z_:][a-zA-Z0-9_:]* ./.test(line)) continue;
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/.exec(line);
    assert.ok(match?.[1] !== undefined, line);
    const value = Number(match[2]?.replace("+Inf", "Infinity"));
    assert.ok(!Number.isNaN(value) || match[2] === "NaN", line);
    assert.ok(!samples.has(match[1]), `twice: ${match[1]}`);
    samples.set(match[1], Number(match[2]));
  }
  return samples;
}

let report: StatusReport;
const events = new EventLog();
const metrics = createMetrics({ events, status: () => report, flows: () => [] });

test("what the source says, in bytes and seconds", async () => {
  report = {
    role: "remote",
    version: "0.1.0",
    uptimeSeconds: 61,
    sessions: [
      session(
        "home",
        path("adsl1", { inUse: true, quota }),
        path("lte", { state: "down", role: "backup", rttMs: null }),
      ),
    ],
  };
  events.add("path-down", "adsl1 is down: ETIMEDOUT");
  const samples = parse(await metrics.scrape());
  const golden: Record<string, number> = {
    'hawser_build_info{version="0.1.0",role="remote"}': 1,
    hawser_uptime_seconds: 61,
    hawser_paths_omitted: 0,
    'hawser_events_total{type="path-down"}': 1,
    'hawser_events_total{type="path-up"}': 0,
    'hawser_session_flows_open{peer="home"}': 2,
    'hawser_session_flows_total{peer="home"}': 30,
    'hawser_session_flows_failed_total{peer="home"}': 1,
    'hawser_session_reinjected_bytes_total{peer="home"}': 7,
    'hawser_session_state{peer="home",state="degraded"}': 1,
    'hawser_session_state{peer="home",state="up"}': 0,
    'hawser_path_subflows{peer="home",path="adsl1"}': 2,
    'hawser_path_rtt_seconds{peer="home",path="adsl1"}': 0.023,
    'hawser_path_send_bytes_per_second{peer="home",path="adsl1"}': 100_000,
    'hawser_path_receive_bytes_per_second{peer="home",path="adsl1"}': 1_050_000,
    'hawser_path_unacked_bytes{peer="home",path="adsl1"}': 4096,
    'hawser_path_sent_bytes_total{peer="home",path="adsl1"}': 1000,
    'hawser_path_received_bytes_total{peer="home",path="adsl1"}': 9000,
    'hawser_path_state{peer="home",path="lte",state="down"}': 1,
    'hawser_path_state{peer="home",path="adsl1",state="down"}': 0,
    'hawser_path_role{peer="home",path="lte",role="backup"}': 1,
    'hawser_path_in_use{peer="home",path="adsl1"}': 1,
    'hawser_path_quota_limit_bytes{peer="home",path="adsl1"}': 5e9,
    'hawser_path_quota_used_bytes{peer="home",path="adsl1"}': 4e9,
  };
  for (const [name, value] of Object.entries(golden)) assert.equal(samples.get(name), value, name);
  assert.ok(!samples.has('hawser_path_rtt_seconds{peer="home",path="lte"}'));
  assert.ok(!samples.has('hawser_path_quota_used_bytes{peer="home",path="lte"}'));
  assert.ok(!samples.has('hawser_path_min_rtt_seconds{peer="home",path="adsl1"}'));
  assert.ok((samples.get("process_open_fds") ?? 0) > 0);
  for (const what of ["", "min_", "max_", "mean_", "stddev_", "p50_", "p90_", "p99_"])
    assert.ok((samples.get(`nodejs_eventloop_lag_${what}seconds`) ?? -1) >= 0, what);
});

test("series go with their paths, and do not add up over scrapes", async () => {
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 62, sessions: [session("away", path("dsl"))] };
  await metrics.scrape();
  const samples = parse(await metrics.scrape());
  assert.equal(samples.get('hawser_path_sent_bytes_total{peer="away",path="dsl"}'), 1000);
  assert.ok(![...samples.keys()].some((name) => name.includes('peer="home"')));
});

test("two sessions of a peer are one series; foreign names are escaped; numbers are finite", async () => {
  const odd = path('a"\\\n', { sendRateBps: Number.POSITIVE_INFINITY, sentBytes: Number.NaN });
  const sessions = [session("home", path("dsl")), session("home", path("dsl"), odd)];
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 62, sessions };
  const samples = parse(await metrics.scrape());
  assert.equal(samples.get('hawser_path_sent_bytes_total{peer="home",path="dsl"}'), 2000);
  assert.equal(samples.get('hawser_session_flows_open{peer="home"}'), 4);
  assert.equal(samples.get('hawser_path_send_bytes_per_second{peer="home",path="a\\"\\\\\\n"}'), 0);
});

test("a peer that makes up path names does not fill the memory", async () => {
  const paths = Array.from({ length: 1000 }, (_, i) => path(`p${i}`));
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 62, sessions: [session("home", ...paths)] };
  const samples = parse(await metrics.scrape());
  const series = [...samples.keys()].filter((name) => name.startsWith("hawser_path_subflows{"));
  assert.equal(series.length, 256);
  assert.equal(samples.get("hawser_paths_omitted"), 744);
});

test("a peer that makes up path names pushes no other's out of the metrics", async () => {
  const paths = Array.from({ length: 500 }, (_, i) => path(`p${i}`));
  const sessions = [session("evil", ...paths), session("home", path("dsl"), path("lte"))];
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 62, sessions };
  const samples = parse(await metrics.scrape());
  const series = [...samples.keys()].filter((name) => name.startsWith("hawser_path_subflows{"));
  assert.equal(series.length, 256);
  for (const name of ["dsl", "lte"])
    assert.ok(samples.has(`hawser_path_subflows{peer="home",path="${name}"}`), name);
});

test("who was turned away, by listener and reason, does not add up over scrapes", async () => {
  report = { role: "remote", version: "0.1.0", uptimeSeconds: 62, sessions: [] };
  const refusals = () => [{ listener: "subflow", reason: "displaced", count: 7 }];
  const counting = createMetrics({ events: new EventLog(), status: () => report, flows: () => [], refusals });
  await counting.scrape();
  const samples = parse(await counting.scrape());
  assert.equal(samples.get('hawser_connections_refused_total{listener="subflow",reason="displaced"}'), 7);
});

test("whether the redirect rules are in place, where the gateway keeps any", async () => {
  const local = { role: "local", version: "0.1.0", uptimeSeconds: 1, session: session("home") } as const;
  const inPlace = async (): Promise<number | undefined> =>
    parse(await metrics.scrape()).get("hawser_rules_in_place");
  report = local;
  assert.equal(await inPlace(), undefined);
  report = { ...local, rules: { inPlace: true, trouble: null } };
  assert.equal(await inPlace(), 1);
  report = { ...local, rules: { inPlace: false, trouble: "nft took them away" } };
  assert.equal(await inPlace(), 0);
  report = local;
  assert.equal(await inPlace(), undefined);
});

test("the room for flows: the greedy source has a series while it is one", async () => {
  const greedy = { source: "192.168.77.3", flows: 15_360, dialling: 3, refused: 900 };
  const flowRoom = { limit: 16_384, open: 15_400, dialling: 5, isFull: false, greedy: null };
  const base = { role: "local", version: "0.1.0", uptimeSeconds: 1, session: session("home") } as const;
  report = { ...base, flowRoom: { ...flowRoom, greedy } };
  const during = parse(await metrics.scrape());
  assert.equal(during.get('hawser_greedy_source_flows{source="192.168.77.3"}'), 15_360);
  report = { ...base, flowRoom: { ...flowRoom, isFull: true } };
  const after = parse(await metrics.scrape());
  assert.equal([...after.keys()].filter((key) => key.startsWith("hawser_greedy_source_flows{")).length, 0);
  assert.deepEqual(
    ["hawser_flows_limit", "hawser_flows_dialling", "hawser_flows_full"].map((name) => after.get(name)),
    [16_384, 5, 1],
  );
});
