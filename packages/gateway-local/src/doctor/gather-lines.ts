/** Asks the machine about its lines, and the remote gateway over each of them. */

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { isOwnAddress, localAddresses } from "@hawser/linux-sockets";
import type { Pairing } from "@hawser/shared-protocol";
import type { Runner } from "iptables-wrapper";
import type { PathConfig } from "../config.ts";
import { dialSubflow } from "../paths/dial.ts";
import { type DialTarget, dialTargets } from "../paths/dial-targets.ts";
import type { RemoteAddresses } from "../remote-addresses.ts";
import type { DialFacts, LineFacts, LinkFacts, TargetFacts } from "./facts.ts";
import { freeMetric, isGatewaySilent, knownGateway, lookUpRoute } from "./gather-routes.ts";
import { whatAnswers } from "./what-answers.ts";

/** IFF_UP and IFF_POINTOPOINT of linux/if.h. */
const IFF_UP = 0x1;
const IFF_POINTOPOINT = 0x10;
/** A dial and its handshake, milliseconds. */
const DIAL_MS = 10_000;

export async function gatherLine(
  path: PathConfig,
  pairing: Pairing,
  remote: RemoteAddresses,
  runner: Runner,
): Promise<LineFacts> {
  const device = path.interface;
  const addresses = localAddresses();
  const facts = {
    path,
    link: device === undefined ? undefined : gatherLink(device),
    isOwnSource: path.source !== undefined && isOwnAddress(path.source),
    sourceDevice: addresses.find(({ address }) => address === path.source)?.interface,
    reversePathFilter: device === undefined ? 0 : reversePathFilter(device),
    knownGateway: {},
    freeMetric: { 4: 0, 6: 0 },
  };
  try {
    const found = await dialTargets(path, pairing.endpoints, remote, localAddresses);
    const targets = await Promise.all(found.map((target) => gatherTarget(path, pairing, target, runner)));
    const missing = targets.some(({ route }) => route.found === "none");
    const way = missing ? await gatherWay(runner, device ?? facts.sourceDevice) : {};
    return { ...facts, ...way, targets, noTarget: undefined };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return { ...facts, targets: [], noTarget: { code, message } };
  }
}

/** The parts of the command that adds a missing default route. */
async function gatherWay(
  runner: Runner,
  device: string | undefined,
): Promise<Pick<LineFacts, "knownGateway" | "freeMetric">> {
  const freeMetrics = { 4: await freeMetric(runner, 4), 6: await freeMetric(runner, 6) };
  if (device === undefined) return { knownGateway: {}, freeMetric: freeMetrics };
  const [v4, v6] = [await knownGateway(runner, 4, device), await knownGateway(runner, 6, device)];
  const gateways = { ...(v4 !== undefined && { 4: v4 }), ...(v6 !== undefined && { 6: v6 }) };
  return { knownGateway: gateways, freeMetric: freeMetrics };
}

export function gatherLink(device: string): LinkFacts {
  const flags = Number(read(`/sys/class/net/${device}/flags`) ?? "-1");
  const addresses = (networkInterfaces()[device] ?? []).map(({ address }) => address);
  const has = (flag: number): boolean => flags >= 0 && (flags & flag) !== 0;
  return { exists: flags >= 0, isUp: has(IFF_UP), isPointToPoint: has(IFF_POINTOPOINT), addresses };
}

/** The kernel takes the greater of both (ip-sysctl). */
function reversePathFilter(device: string): number {
  const values = ["all", device].map((which) =>
    Number(read(`/proc/sys/net/ipv4/conf/${which}/rp_filter`) ?? "0"),
  );
  return Math.max(...values);
}

async function gatherTarget(
  path: PathConfig,
  pairing: Pairing,
  target: DialTarget,
  runner: Runner,
): Promise<TargetFacts> {
  const route = await lookUpRoute(runner, target, path);
  if (route.found === "none") return { target, route, dial: undefined, isGatewaySilent: false };
  const dial = await dialRemote(path, pairing, target);
  const isSilent = dial.outcome === "failed" && (await isGatewaySilent(runner, route));
  return { target, route, dial, isGatewaySilent: isSilent };
}

/** After an error with such a code another program than Hawser may have answered. */
const DOUBTFUL = /^ERR_HANDSHAKE_/;

/** The handshake of a subflow, as far as it proves both keys; nothing joins the session. */
async function dialRemote(path: PathConfig, pairing: Pairing, target: DialTarget): Promise<DialFacts> {
  const started = performance.now();
  try {
    const socket = await dialSubflow(path, target, pairing, AbortSignal.timeout(DIAL_MS));
    const ms = Math.round(performance.now() - started);
    // `destroySoon` sends the last message of the handshake first. Without it the remote gateway would log an error.
    socket.destroySoon();
    return { outcome: "reached", ms };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const other = DOUBTFUL.test(code) ? await whatAnswers(path, target) : undefined;
    return { outcome: "failed", code, message, other };
  }
}

export function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
