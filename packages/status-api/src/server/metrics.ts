/** `GET /metrics`: what the source says at the scrape, in Prometheus's base units (bytes, seconds). */

import type { RefusalCount } from "@hawser/gateway-kit";
import { PATH_STATES } from "@hawser/gateway-kit/config";
import { PATH_ROLES } from "@hawser/shared-protocol";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { sessionsOf } from "../model/report.ts";
import { SESSION_STATES } from "../model/values.ts";
import type { PathStatus, SessionStatus, StatusReport } from "../schemas/status.ts";
import { eventLoopDelayMetrics } from "./event-loop-delay.ts";
import type { StatusSource } from "./source.ts";

/**
 * Series per metric. A remote gateway is told path names by its peers, who could think of new ones for ever; what is
 * beyond is counted in hawser_paths_omitted.
 */
const MAX_PATHS = 256;

/**
 * Of prom-client: gauges with the name of a counter, and the same without its breakdown; and the event loop's delay, which
 * is measured in another way here (event-loop-delay.ts).
 */
const REPLACED = [
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_requests",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
  ...["", "min_", "max_", "mean_", "stddev_", "p50_", "p90_", "p99_"].map(
    (what) => `nodejs_eventloop_lag_${what}seconds`,
  ),
];
/** How often prom-client's own measure of the delay wakes the process, milliseconds: never, as it cannot be left out. */
const NEVER_MS = 2 ** 31 - 1;

type SessionValue = readonly [name: string, help: string, value: (session: SessionStatus) => number];
type PathValue = readonly [name: string, help: string, value: (path: PathStatus) => number | null];

const SESSION_GAUGES: readonly SessionValue[] = [
  ["hawser_session_flows_open", "Flows that are open now.", ({ flows }) => flows.open],
  [
    "hawser_session_egress_ipv4",
    "1 while the remote gateway may have a way out by IPv4.",
    ({ egress }) => (egress?.ipv4 === false ? 0 : 1),
  ],
  [
    "hawser_session_egress_ipv6",
    "1 while the remote gateway may have a way out by IPv6.",
    ({ egress }) => (egress?.ipv6 === false ? 0 : 1),
  ],
];
const SESSION_COUNTERS: readonly SessionValue[] = [
  ["hawser_session_flows_total", "Flows opened.", ({ flows }) => flows.total],
  [
    "hawser_session_flows_failed_total",
    "Flows that were reset or never opened.",
    ({ flows }) => flows.failed,
  ],
  [
    "hawser_session_flows_refused_total",
    "Flows that rules or limits of the remote gateway forbade.",
    ({ flows }) => flows.refused ?? 0,
  ],
  ["hawser_session_sent_bytes_total", "Bytes of flows sent.", ({ bytes }) => bytes.sent],
  ["hawser_session_received_bytes_total", "Bytes of flows received.", ({ bytes }) => bytes.received],
  [
    "hawser_session_reinjected_bytes_total",
    "Bytes sent again on another path.",
    ({ bytes }) => bytes.reinjected,
  ],
];
const PATH_GAUGES: readonly PathValue[] = [
  ["hawser_path_subflows", "Live connections on the path.", (path) => path.subflows],
  ["hawser_path_rtt_seconds", "Smoothed round-trip time.", (path) => seconds(path.rttMs)],
  ["hawser_path_min_rtt_seconds", "Least round-trip time seen.", (path) => seconds(path.minRttMs)],
  ["hawser_path_send_bytes_per_second", "Payload leaving now.", (path) => path.sendRateBps / 8],
  ["hawser_path_receive_bytes_per_second", "Payload arriving now.", (path) => path.receiveRateBps / 8],
  ["hawser_path_unacked_bytes", "Sent and not yet acknowledged.", (path) => path.unackedBytes],
  ["hawser_path_in_use", "1 when new data may go over the path.", (path) => (path.inUse ? 1 : 0)],
  [
    "hawser_path_resting",
    "1 while the path is left out: it held up more than it carried.",
    (path) => (path.restsUntil ? 1 : 0),
  ],
  ["hawser_path_quota_limit_bytes", "The month's quota.", (path) => path.quota?.limitBytes ?? null],
  ["hawser_path_quota_used_bytes", "Used of the month's quota.", (path) => path.quota?.usedBytes ?? null],
];
const PATH_COUNTERS: readonly PathValue[] = [
  ["hawser_path_sent_bytes_total", "Bytes sent on the path.", (path) => path.sentBytes],
  ["hawser_path_received_bytes_total", "Bytes received on the path.", (path) => path.receivedBytes],
  ["hawser_path_reinjected_bytes_total", "Bytes sent again on the path.", (path) => path.reinjectedBytes],
];

export interface Metrics {
  readonly contentType: string;
  /** Asks the source once, and writes everything in Prometheus's text format. */
  scrape(): Promise<string>;
  /** Ends what is measured all the time. */
  close(): void;
}

/** A registry of its own, for one source; with the process's own metrics (memory, descriptors, event loop). */
export function createMetrics(source: StatusSource): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const fills = [aboutGateway(registers), ...sessionMetrics(registers), ...pathMetrics(registers)];
  fills.push(eventMetrics(registers, source), captureMetrics(registers), rulesMetric(registers));
  fills.push(flowRoomMetrics(registers));
  const countRefusals = refusalMetric(registers);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of REPLACED) registry.removeSingleMetric(name);
  const delay = eventLoopDelayMetrics(registry);
  return {
    contentType: registry.contentType,
    async scrape() {
      const report = source.status();
      const paths = pathsOf(report);
      for (const fill of fills) fill(report, paths);
      countRefusals(source.refusals?.() ?? []);
      await delay.fill();
      // prom-client writes "Nan", which not every reader takes.
      return (await registry.metrics()).replaceAll(/ Nan$/gm, " NaN");
    },
    close: () => delay.close(),
  };
}

interface PathOfPeer {
  readonly peer: string;
  readonly path: PathStatus;
}

/** Brings some metrics to what the report says; paths that are no longer there lose their series. */
type Fill = (report: StatusReport, paths: readonly PathOfPeer[]) => void;

function aboutGateway(registers: Registry[]): Fill {
  const labelNames = ["version", "role"];
  const info = new Gauge({ name: "hawser_build_info", help: "Always 1.", labelNames, registers });
  const uptime = new Gauge({ name: "hawser_uptime_seconds", help: "Since the gateway's start.", registers });
  const help = "Paths that are too many to have series of their own.";
  const omitted = new Gauge({ name: "hawser_paths_omitted", help, registers });
  return (report) => {
    const { version, role, uptimeSeconds } = report;
    info.set({ version, role }, 1);
    uptime.set(finite(uptimeSeconds));
    omitted.set(Math.max(0, allPathsOf(report).length - MAX_PATHS));
  };
}

/** Whether what the redirect rules turn to the gateway arrives: per family, of the local gateway. */
function captureMetrics(registers: Registry[]): Fill {
  const labelNames = ["family"];
  const metric = { labelNames, registers };
  const accepted = new Counter({
    name: "hawser_capture_accepted_total",
    help: "Redirected connections that have arrived.",
    ...metric,
  });
  const redirected = new Gauge({
    name: "hawser_capture_redirected",
    help: "First packets that the redirect rules have counted since they were put in place.",
    ...metric,
  });
  const blocked = new Gauge({
    name: "hawser_capture_blocked",
    help: "1 while redirected connections do not arrive: a firewall drops them.",
    ...metric,
  });
  return (report) => {
    for (const each of [accepted, redirected, blocked]) each.reset();
    for (const { family, ...now } of (report.role === "local" && report.capture) || []) {
      accepted.inc({ family }, now.accepted);
      if (now.redirected !== null) redirected.set({ family }, now.redirected);
      blocked.set({ family }, now.state === "blocked" ? 1 : 0);
    }
  };
}

/** Of the sources only the greedy one has a series, and only while it is one: a LAN has many addresses. */
function flowRoomMetrics(registers: Registry[]): Fill {
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers });
  const limit = gauge("hawser_flows_limit", "Flows that may be open at once.");
  const dialling = gauge("hawser_flows_dialling", "Flows whose destinations have not answered yet.");
  const full = gauge("hawser_flows_full", "1 while new flows are refused, whoever opens them.");
  const greedy = gauge(
    "hawser_greedy_source_flows",
    "Flows of the source that had some refused in the last minute because others need room, too.",
    ["source"],
  );
  return (report) => {
    greedy.reset();
    const room = report.role === "local" ? report.flowRoom : undefined;
    if (!room) {
      for (const metric of [limit, dialling, full]) metric.remove();
      return;
    }
    limit.set(room.limit);
    dialling.set(room.dialling);
    full.set(room.isFull ? 1 : 0);
    if (room.greedy) greedy.set({ source: room.greedy.source }, room.greedy.flows);
  };
}

/** A series for each type of event, from the start on: an alert on a rate needs the zero before the first. */
function eventMetrics(registers: Registry[], source: StatusSource): Fill {
  const help = "Events of the log at /api/events.";
  const events = new Counter({ name: "hawser_events_total", help, labelNames: ["type"], registers });
  return () => {
    events.reset();
    for (const [type, count] of source.events.counts) events.inc({ type }, count);
  };
}

function rulesMetric(registers: Registry[]): Fill {
  const help = "1 while the redirect rules that the gateway keeps are in place; absent where it keeps none.";
  const metric = new Gauge({ name: "hawser_rules_in_place", help, registers });
  return (report) => {
    const rules = report.role === "local" ? report.rules : undefined;
    if (rules) metric.set(rules.inPlace ? 1 : 0);
    else metric.remove();
  };
}

function refusalMetric(registers: Registry[]): (counts: readonly RefusalCount[]) => void {
  const help = "Connections and flows that were turned away, or ended before they had shown who they are.";
  const labelNames = ["listener", "reason"];
  const metric = new Counter({ name: "hawser_connections_refused_total", help, labelNames, registers });
  return (counts) => {
    metric.reset();
    for (const { listener, reason, count } of counts) metric.inc({ listener, reason }, count);
  };
}

/** A peer may have several sessions for a while: their values are summed. */
function sessionMetrics(registers: Registry[]): Fill[] {
  const labelNames = ["peer"];
  const numbers = [
    ...SESSION_GAUGES.map(([name, help, value]) => ({
      metric: new Gauge({ name, help, labelNames, registers }),
      value,
    })),
    ...SESSION_COUNTERS.map(([name, help, value]) => ({
      metric: new Counter({ name, help, labelNames, registers }),
      value,
    })),
  ].map(({ metric, value }): Fill => {
    return (report) => {
      metric.reset();
      for (const session of sessionsOf(report)) metric.inc({ peer: session.peer }, finite(value(session)));
    };
  });
  const state = stateMetric(
    "hawser_session_state",
    "1 for the state that the session is in.",
    labelNames,
    registers,
  );
  return [
    ...numbers,
    (report) => {
      state.reset();
      for (const { peer, state: now } of sessionsOf(report)) setState(state, { peer }, SESSION_STATES, now);
    },
  ];
}

function pathMetrics(registers: Registry[]): Fill[] {
  const labelNames = ["peer", "path"];
  const gauges = PATH_GAUGES.map(([name, help, value]): Fill => {
    const metric = new Gauge({ name, help, labelNames, registers });
    return (_, paths) => {
      metric.reset();
      for (const { peer, path } of paths) {
        const now = value(path);
        if (now !== null) metric.set({ peer, path: path.name }, finite(now));
      }
    };
  });
  const counters = PATH_COUNTERS.map(([name, help, value]): Fill => {
    const metric = new Counter({ name, help, labelNames, registers });
    return (_, paths) => {
      metric.reset();
      for (const { peer, path } of paths) metric.inc({ peer, path: path.name }, finite(value(path)));
    };
  });
  const state = stateMetric(
    "hawser_path_state",
    "1 for the state that the path is in.",
    labelNames,
    registers,
  );
  const role = stateMetric(
    "hawser_path_role",
    "1 for the role that the path has.",
    labelNames,
    registers,
    "role",
  );
  const states: Fill = (_, paths) => {
    state.reset();
    role.reset();
    for (const { peer, path } of paths) {
      const labels = { peer, path: path.name };
      setState(state, labels, PATH_STATES, path.state);
      setState(role, labels, PATH_ROLES, path.role, "role");
    }
  };
  return [...gauges, ...counters, states];
}

function stateMetric(
  name: string,
  help: string,
  labelNames: string[],
  registers: Registry[],
  label = "state",
) {
  return new Gauge({ name, help, labelNames: [...labelNames, label], registers });
}

function setState(
  metric: Gauge,
  labels: Readonly<Record<string, string>>,
  all: readonly string[],
  now: string,
  label = "state",
): void {
  for (const each of all) metric.set({ ...labels, [label]: each }, each === now ? 1 : 0);
}

/** In turns, so that no peer's paths push another's out. */
function pathsOf(report: StatusReport): PathOfPeer[] {
  const all = allPathsOf(report);
  if (all.length <= MAX_PATHS) return all;
  const byPeer = Map.groupBy(all, ({ peer }) => peer);
  const chosen: PathOfPeer[] = [];
  for (let turn = 0; chosen.length < MAX_PATHS; turn++)
    for (const paths of byPeer.values()) chosen.push(...paths.slice(turn, turn + 1));
  return chosen.slice(0, MAX_PATHS);
}

function allPathsOf(report: StatusReport): PathOfPeer[] {
  return sessionsOf(report).flatMap(({ peer, paths }) => paths.map((path) => ({ peer, path })));
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

/** A rate over no time at all must not cost the whole scrape. */
function finite(value: number | null): number {
  return value !== null && Number.isFinite(value) ? value : 0;
}
