/**
 * `hawser-local doctor`: gathers facts about the machine, then judges them. Only the gathering uses sockets and tools.
 */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { FAMILIES, systemRunner } from "iptables-wrapper";
import { areSetsThere } from "../capture/failure-sets.ts";
import { capturePort, EVERY_WAY_OUT, redirectRules } from "../capture/rules.ts";
import type { CaptureConfig, LocalConfig } from "../config.ts";
import { RemoteAddresses } from "../remote-addresses.ts";
import type { GatewayFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";
import { gatewayFindings } from "./gateway-findings.ts";
import { gatherGateway } from "./gather-gateway.ts";
import { gatherConntrack, gatherFilter, gatherLanDevice, gatherRules, leftAloneNow } from "./gather-host.ts";
import { gatherLine } from "./gather-lines.ts";
import { hasIp } from "./gather-routes.ts";
import { conntrackFindings, ipv6LeakFindings, lanFindings } from "./lan-findings.ts";
import { lanPathFindings } from "./lan-path-findings.ts";
import { doubledLines, lineFindings } from "./line-findings.ts";
import { reachedAddresses, remoteFindings } from "./remote-findings.ts";
import { rulesFindings } from "./rules-findings.ts";

/** Checks what the gateway needs of its machine and its lines. `tell` gets each finding as soon as it is made. */
export async function runDoctor(config: LocalConfig, tell: (finding: Finding) => void): Promise<void> {
  const say = (findings: readonly Finding[]): void => findings.forEach(tell);
  const remote = new RemoteAddresses();
  await remote.learn(config.remote.endpoints);
  say(await checkDns(config));
  say(await checkLines(config, remote));
  const gateway = await gatherGateway(config.status);
  const { capture } = config;
  if (capture) say(await checkCapture(config, capture, remote, gateway));
  else say([note("rules", "nothing is captured", "add a [capture] section, or use the SOCKS endpoint")]);
  say(gatewayFindings(config, gateway));
}

/** The LAN resolves its own names. The name of the remote gateway must resolve on this machine. */
async function checkDns({ remote }: LocalConfig): Promise<Finding[]> {
  const names = remote.endpoints.map(({ host }) => host).filter((host) => isIP(host) === 0);
  return Promise.all(
    names.map(async (host) => {
      const subject = `DNS: ${host}`;
      try {
        const found = await lookup(host, { all: true });
        return ok(subject, `leads to ${found.map(({ address }) => address).join(", ")}`);
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        const text = code === "ENOTFOUND" ? "there is no such name" : `does not resolve (${code || message})`;
        const mend = `is it written right, and does the router's resolver work? \`getent ahosts ${host}\``;
        return bad(subject, text, mend);
      }
    }),
  );
}

/** All lines are looked at together: where one line is silent, the others show whether the line is the cause. */
async function checkLines(
  { paths, remote: pairing }: LocalConfig,
  remote: RemoteAddresses,
): Promise<Finding[]> {
  const runner = systemRunner();
  const lines = await Promise.all(paths.map((path) => gatherLine(path, pairing, remote, runner)));
  const reached = reachedAddresses(lines);
  const findings = lines.flatMap((line) => [
    ...lineFindings(line),
    ...remoteFindings(line, pairing.name, reached),
  ]);
  if (!(await hasIp(runner)))
    findings.push(
      note("routes", "the routing table was not looked at: there is no ip(8)", "`apt install iproute2`"),
    );
  return [...doubledLines(paths), ...findings];
}

async function checkCapture(
  config: LocalConfig,
  capture: CaptureConfig,
  remote: RemoteAddresses,
  gateway: GatewayFacts,
): Promise<Finding[]> {
  const runner = systemRunner();
  const devices = capture.from.map(gatherLanDevice);
  const filter = await gatherFilter(runner);
  const left = [...leftAloneNow(filter), ...remote.all];
  const wayOut = (gateway.state === "runs" && gateway.report.session.egress) || EVERY_WAY_OUT;
  const hasSets = await areSetsThere();
  const rules = await gatherRules(runner, redirectRules({ capture, left, wayOut, hasSets }));
  const ports = Object.fromEntries(FAMILIES.map((family) => [family, capturePort(capture, family)]));
  return [
    ...lanFindings(capture, config.paths, devices),
    ...ipv6LeakFindings(capture, devices),
    ...rulesFindings(rules, gateway.state, capture.rules),
    ...lanPathFindings(ports, devices, filter, gateway),
    ...conntrackFindings(gatherConntrack()),
  ];
}
