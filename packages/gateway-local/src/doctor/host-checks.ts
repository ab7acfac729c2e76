import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { formatEndpoint } from "@hawser/shared-protocol/node";
import { IptablesError, inspectRules, systemRunner } from "iptables-wrapper";
import { EVERY_WAY_OUT, redirectRules } from "../capture/rules.ts";
import type { LocalConfig } from "../config.ts";
import { bad, type Finding, note, ok } from "./findings.ts";

/** iptables takes the name of an interface that is not there without a word. */
export function checkCapturedInterfaces({ capture }: LocalConfig): Finding[] {
  return (capture?.from ?? []).map((device) => {
    const subject = `capture: interface ${device}`;
    if (existsSync(`/sys/class/net/${device}`)) return ok(subject, "is there");
    const mend = "`ip link` lists the interfaces; mend capture.from";
    return bad(subject, "does not exist: nothing that comes in over it is captured", mend);
  });
}

/** The redirect rules, as they should be while the gateway runs: they come with its start. */
export async function checkRules(
  config: LocalConfig,
  remoteAddresses: readonly string[],
  isRunning: boolean,
): Promise<Finding[]> {
  const { capture } = config;
  if (!capture)
    return [note("rules", "nothing is captured", "add a [capture] section, or use the SOCKS endpoint")];
  try {
    const wanted = redirectRules({ capture, left: remoteAddresses, wayOut: EVERY_WAY_OUT });
    const states = await inspectRules(systemRunner(), wanted);
    return states.map(({ family, state }) => {
      const subject = `rules: ${family}`;
      if (state === "in-place") return ok(subject, "are in place");
      if (state === "absent")
        return note(subject, "the tool for this family is not there", "install iptables");
      const mend = capture.rules
        ? "start the gateway, or `hawser-local rules apply`"
        : "`hawser-local rules apply`";
      if (state !== "missing") return bad(subject, "are not what the configuration says", mend);
      return (isRunning ? bad : note)(subject, "are not installed", mend);
    });
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    return [bad("rules", error.message, "run the doctor as root")];
  }
}

/** A LAN with IPv6 of which only IPv4 is captured goes out past the session, over one line. */
export function checkIpv6Leak({ capture }: LocalConfig): Finding[] {
  if (!capture || capture.listen.some(({ host }) => host.includes(":"))) return [];
  const leaking = capture.from.filter((device) =>
    (networkInterfaces()[device] ?? []).some(
      ({ family, address }) => family === "IPv6" && /^[23]/.test(address),
    ),
  );
  if (leaking.length === 0)
    return [ok("IPv6", "the LAN has no global IPv6 address that could bypass the gateway")];
  const mend = 'add "[::]:12345" to capture.listen';
  return [
    bad(
      "IPv6",
      `${leaking.join(", ")} has global IPv6, which is not captured and goes out past the session`,
      mend,
    ),
  ];
}

/** Names are the LAN's own business, but the remote's must resolve here. */
export async function checkDns({ remote }: LocalConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { host } of remote.endpoints) {
    try {
      const found = await lookup(host, { all: true });
      findings.push(ok(`DNS: ${host}`, found.map(({ address }) => address).join(", ")));
    } catch (error) {
      findings.push(
        bad(`DNS: ${host}`, (error as Error).message, "mend the resolver, or pair with an address"),
      );
    }
  }
  return findings;
}

/** Whether a gateway runs with this configuration, by its status server. */
export async function checkRunning({ status }: LocalConfig): Promise<Finding> {
  const url = `http://${formatEndpoint(status.listen)}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    if (response.ok) return ok("gateway", "runs, and at least one path is up");
    return bad("gateway", "runs, but no path is up", "see the paths' findings above");
  } catch {
    return note("gateway", "does not run", "systemctl start hawser-local, or `hawser-local run`");
  }
}
