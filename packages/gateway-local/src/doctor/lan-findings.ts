/** The LAN's side of the router: its interfaces, forwarding, connection tracking. */

import type { Family } from "iptables-wrapper";
import type { CaptureConfig, PathConfig } from "../config.ts";
import type { ConntrackFacts, LanDeviceFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";
import { sysctlName } from "./line-findings.ts";

/** The flows that one session carries at most (MAX_STREAMS of the engine). Each has an entry in connection tracking. */
const MOST_FLOWS = 16_384;
/** The share of its entries in use above which connection tracking is short of room. */
const FULL = 0.8;

export function lanFindings(
  capture: CaptureConfig,
  paths: readonly PathConfig[],
  devices: readonly LanDeviceFacts[],
): Finding[] {
  return devices.flatMap((device) => {
    const subject = `capture: interface ${device.name}`;
    if (!device.exists) {
      const mend = "`ip -br link` lists the interfaces; name the LAN's in capture.from";
      return [bad(subject, "does not exist: nothing that comes in over it is captured", mend)];
    }
    const line = paths.find((path) => path.interface === device.name);
    if (line) {
      const text = `is path ${line.name}'s: connections from the Internet are captured, and those of the LAN are not`;
      return [bad(subject, text, "name the LAN's interface in capture.from; `ip -br address` lists them")];
    }
    if (device.master !== undefined) {
      const text = `is a part of ${device.master}: its packets come in over ${device.master}, and are not captured`;
      return [bad(subject, text, `name "${device.master}" in capture.from instead`)];
    }
    return [ok(subject, "is there"), ...forwardingFindings(capture, paths, device)];
  });
}

/** Only TCP is captured. The kernel forwards the rest of the LAN's traffic. */
function forwardingFindings(
  capture: CaptureConfig,
  paths: readonly PathConfig[],
  { name, prefixes, forwards }: LanDeviceFacts,
): Finding[] {
  const findings: Finding[] = [];
  if (!forwards.ipv4) {
    const text = `is off for ${name}: UDP, DNS and ping of the LAN do not get out`;
    findings.push(
      bad("forwarding: IPv4", text, "`sysctl -w net.ipv4.ip_forward=1`, and for good in /etc/sysctl.d"),
    );
  }
  if (!forwards.ipv6 && capturesIpv6(capture) && prefixes.some(isGlobalIpv6)) {
    // With forwarding on, the kernel ignores router advertisements unless accept_ra is 2, and would lose the lines'
    // routes.
    const lines = [...new Set(paths.flatMap((path) => path.interface ?? []))];
    const accept = lines.map((line) => `net.ipv6.conf.${sysctlName(line)}.accept_ra=2`).join(" ");
    const text = `is off, and ${name} has global IPv6: UDP and ping of the LAN do not get out by IPv6`;
    const mend = `\`sysctl -w ${accept} net.ipv6.conf.all.forwarding=1\`, and for good in /etc/sysctl.d`;
    findings.push(bad("forwarding: IPv6", text, mend.replace("-w  ", "-w ")));
  }
  return findings;
}

/** Where only IPv4 is captured, a LAN's IPv6 connections leave by the default route, over one line. */
export function ipv6LeakFindings(capture: CaptureConfig, devices: readonly LanDeviceFacts[]): Finding[] {
  if (capturesIpv6(capture)) return [];
  const leaking = devices.filter(({ prefixes }) => prefixes.some(isGlobalIpv6)).map(({ name }) => name);
  if (leaking.length === 0)
    return [ok("IPv6", "the LAN has no global IPv6 address that could bypass the gateway")];
  const text = `${leaking.join(", ")} has global IPv6, which is not captured and goes out past the session`;
  const port = capture.listen[0]?.port ?? 12_345;
  return [bad("IPv6", text, `add "[::]:${port}" to capture.listen`)];
}

function capturesIpv6({ listen }: CaptureConfig): boolean {
  return listen.some(({ host }) => host.includes(":"));
}

function isGlobalIpv6(prefix: string): boolean {
  return /^[23][0-9a-f]{3}:/i.test(prefix);
}

/** The kernel tracks redirected connections. When its table is full it drops the first packet of a new one. */
export function conntrackFindings(facts: ConntrackFacts | undefined): Finding[] {
  if (!facts) return [];
  const { max, count } = facts;
  const subject = "connection tracking";
  const enlarge = (size: number): string =>
    `\`sysctl -w net.netfilter.nf_conntrack_max=${size}\`, and for good in /etc/sysctl.d`;
  if (count >= max) {
    const text = `is full (${count} of ${max} entries): new connections of the LAN are dropped`;
    return [bad(subject, text, enlarge(Math.max(2 * max, 2 * MOST_FLOWS)))];
  }
  if (count > FULL * max)
    return [
      note(subject, `has ${count} of ${max} entries in use`, enlarge(Math.max(2 * max, 2 * MOST_FLOWS))),
    ];
  if (max >= MOST_FLOWS) return [ok(subject, `has room for ${max} connections, ${count} are in use`)];
  const text = `has room for ${max} connections, fewer than the ${MOST_FLOWS} flows that Hawser can carry`;
  return [note(subject, text, enlarge(2 * MOST_FLOWS))];
}

/** `IPv4` or `IPv6`. */
export function familyName(family: Family): string {
  return family === "ipv4" ? "IPv4" : "IPv6";
}
