/** Asks the routing table by ip(8), in the way in which it decides over the packets of a bound socket. */

import { type Runner, RunnerExit } from "iptables-wrapper";
import type { PathConfig } from "../config.ts";
import type { RemoteAddress } from "../remote-addresses.ts";
import type { RouteFacts } from "./facts.ts";

/** Metrics of the default routes that the doctor proposes: the first multiple of this that is free, but for the first. */
const METRIC_STEP = 100;

interface Route {
  readonly dev?: string;
  readonly gateway?: string;
  readonly metric?: number;
  readonly via?: { readonly host?: string };
}

/**
 * `fibmatch` asks for the route itself: without one, `ip route get` answers for a bound socket as the kernel does, which
 * then takes any address for a neighbour's.
 */
export async function lookUpRoute(
  runner: Runner,
  { address, family }: RemoteAddress,
  { interface: device, source }: Pick<PathConfig, "interface" | "source">,
): Promise<RouteFacts> {
  const from = source === undefined ? [] : ["from", source];
  const over = device === undefined ? [] : ["oif", device];
  const args = ["-j", `-${family}`, "route", "get", "fibmatch", address, ...from, ...over];
  const { code, stdout, stderr } = await runner.run("ip", args);
  // Of netlink, and so of the table: not of a device that is missing, or of an ip that does not know fibmatch.
  if (code !== 0)
    return { found: /RTNETLINK answers: .*(route|unreachable)/i.test(stderr) ? "none" : "unknown" };
  const route = parseRoutes(stdout)[0];
  if (!route) return { found: "unknown" };
  return { found: "route", device: route.dev ?? device, gateway: route.gateway ?? route.via?.host };
}

/** A gateway that any table names for the interface: what a missing default route would go by. */
export async function knownGateway(
  runner: Runner,
  family: 4 | 6,
  device: string,
): Promise<string | undefined> {
  const { stdout } = await runner.run("ip", [
    "-j",
    `-${family}`,
    "route",
    "show",
    "table",
    "all",
    "dev",
    device,
  ]);
  return parseRoutes(stdout).find(({ gateway }) => gateway !== undefined)?.gateway;
}

export async function freeMetric(runner: Runner, family: 4 | 6): Promise<number> {
  const { stdout } = await runner.run("ip", ["-j", `-${family}`, "route", "show", "default"]);
  const taken = new Set(parseRoutes(stdout).map(({ metric }) => metric ?? 0));
  let metric = 2 * METRIC_STEP;
  while (taken.has(metric)) metric += METRIC_STEP;
  return metric;
}

/** Whether the neighbour behind a route has been asked for and is silent. */
export async function isGatewaySilent(runner: Runner, route: RouteFacts): Promise<boolean> {
  if (route.found !== "route" || route.gateway === undefined || route.device === undefined) return false;
  const { stdout } = await runner.run("ip", ["-j", "neigh", "show", route.gateway, "dev", route.device]);
  const states = (parseJson(stdout) as { state?: string[] }[]).flatMap(({ state }) => state ?? []);
  return states.includes("FAILED") || states.includes("INCOMPLETE");
}

/** Whether ip(8) is there at all. */
export async function hasIp(runner: Runner): Promise<boolean> {
  return (await runner.run("ip", ["-V"])).code !== RunnerExit.notFound;
}

function parseRoutes(text: string): Route[] {
  return parseJson(text) as Route[];
}

function parseJson(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
