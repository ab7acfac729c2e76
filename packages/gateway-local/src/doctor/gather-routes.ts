/** Asks ip(8) for the route that the kernel takes for the packets of a bound socket. */

import { parseJson } from "@hawser/gateway-kit/config";
import { type Runner, RunnerExit } from "iptables-wrapper";
import type { PathConfig } from "../config.ts";
import type { RemoteAddress } from "../remote-addresses.ts";
import type { RouteFacts } from "./facts.ts";

/** The doctor proposes a default route with the first free metric of 200, 300, 400 and so on. */
const METRIC_STEP = 100;

interface Route {
  readonly dev?: string;
  readonly gateway?: string;
  readonly metric?: number;
  readonly via?: { readonly host?: string };
}

/**
 * `fibmatch` asks for the entry of the routing table. Without `fibmatch`, `ip route get` also answers where there is no
 * entry: for a socket bound to a device the kernel then takes every address for a neighbour's.
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
  // Only netlink's error says that there is no route. Others come from a missing device, or an ip(8) without fibmatch.
  if (code !== 0)
    return { found: /RTNETLINK answers: .*(route|unreachable)/i.test(stderr) ? "none" : "unknown" };
  const route = parseRoutes(stdout)[0];
  if (!route) return { found: "unknown" };
  return { found: "route", device: route.dev ?? device, gateway: route.gateway ?? route.via?.host };
}

/** A gateway that a route of any table names for the interface: most likely the line's router. */
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

/** Whether the kernel has asked for the gateway of a route (ARP, neighbour discovery) without an answer. */
export async function isGatewaySilent(runner: Runner, route: RouteFacts): Promise<boolean> {
  if (route.found !== "route" || route.gateway === undefined || route.device === undefined) return false;
  const { stdout } = await runner.run("ip", ["-j", "neigh", "show", route.gateway, "dev", route.device]);
  const states = (parseList(stdout) as { state?: string[] }[]).flatMap(({ state }) => state ?? []);
  return states.includes("FAILED") || states.includes("INCOMPLETE");
}

/** Whether ip(8) is installed. */
export async function hasIp(runner: Runner): Promise<boolean> {
  return (await runner.run("ip", ["-V"])).code !== RunnerExit.notFound;
}

function parseRoutes(text: string): Route[] {
  return parseList(text) as Route[];
}

/** What `ip -json` prints; empty when it printed something else. */
function parseList(text: string): unknown[] {
  const value = parseJson(text);
  return Array.isArray(value) ? value : [];
}
