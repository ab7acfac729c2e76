/** Judges each line's device, address and route. Whether the remote gateway is reached over it: remote-findings.ts. */

import type { PathConfig } from "../config.ts";
import { KERNEL_MEND, whatIsUncounted } from "../quota/kernel-counts.ts";
import type { LineFacts, TargetFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";

/**
 * Two paths over one line. The second adds no capacity, and the engine mistakes the queue that both fill for two queues.
 */
export function doubledLines(paths: readonly PathConfig[]): Finding[] {
  return paths.flatMap((path, i) => {
    const earlier = paths.slice(0, i).find((each) => isSameLine(each, path));
    if (!earlier) return [];
    const where = path.interface ?? path.source ?? "";
    const text = `uses ${where}, as path ${earlier.name} does: it is the same line twice`;
    const mend = `leave out one of the two, or name another line's interface; for more connections on one line set subflows = 2 in path ${earlier.name}`;
    return [bad(`path ${path.name}`, text, mend)];
  });
}

/** Different addresses on one interface may be different lines. */
function isSameLine(one: PathConfig, other: PathConfig): boolean {
  const isSameSource = one.source === undefined || other.source === undefined || one.source === other.source;
  if (one.interface !== undefined || other.interface !== undefined)
    return one.interface === other.interface && isSameSource;
  return one.source === other.source;
}

export function lineFindings(line: LineFacts): Finding[] {
  return [
    ...deviceFindings(line),
    ...sourceFindings(line),
    ...reversePathFindings(line),
    ...quotaFindings(line.path),
  ];
}

/** A quota that the kernel cannot count in full; `kernel` is its release, by default the running one's. */
export function quotaFindings({ name, quota }: PathConfig, kernel?: string): Finding[] {
  const uncounted = quota && whatIsUncounted(kernel);
  return uncounted === undefined ? [] : [note(`path ${name}: quota`, uncounted, KERNEL_MEND)];
}

function deviceFindings({ path, link }: LineFacts): Finding[] {
  if (path.interface === undefined || !link) return [];
  const subject = `path ${path.name}: interface ${path.interface}`;
  if (!link.exists)
    return [
      bad(subject, "does not exist", "`ip -br link` lists the interfaces; name the line's in path.interface"),
    ];
  if (!link.isUp) return [bad(subject, "is down", `\`ip link set ${path.interface} up\``)];
  if (link.addresses.length === 0)
    return [bad(subject, "has no address", "the line is not connected; look at its dialler or DHCP client")];
  return [ok(subject, `is up with ${link.addresses.join(", ")}`)];
}

function sourceFindings({ path, isOwnSource, sourceDevice, targets }: LineFacts): Finding[] {
  if (path.source === undefined) return [];
  const subject = `path ${path.name}: source ${path.source}`;
  if (!isOwnSource) {
    const mend = "`ip -br address` lists them; where the address changes, give path.interface alone";
    return [bad(subject, "is no address of this machine", mend)];
  }
  const findings = [ok(subject, "is an address of this machine")];
  const routed = targets.find(({ route }) => route.found === "route")?.route;
  const device = routed?.found === "route" ? routed.device : undefined;
  if (path.interface !== undefined || sourceDevice === undefined || device === undefined) return findings;
  if (device === sourceDevice) return findings;
  const text = `is of ${sourceDevice}, but its packets leave over ${device}: an address alone chooses no line`;
  return [...findings, bad(subject, text, `add interface = "${sourceDevice}" to path ${path.name}`)];
}

/**
 * With a strict filter the kernel drops packets that come in over another line than the best route to their source
 * names.
 */
function reversePathFindings({ path, reversePathFilter }: LineFacts): Finding[] {
  if (path.interface === undefined || reversePathFilter !== 1) return [];
  const text = "is strict, and may drop the packets that come back over this line";
  return [note(`path ${path.name}: reverse-path filter`, text, loosen(path.interface))];
}

/**
 * The kernel takes the greater of the interface's setting and that of `all` (ip-sysctl). So 2, loose, is in force at
 * once.
 */
export function loosen(device: string): string {
  return `\`sysctl -w net.ipv4.conf.${sysctlName(device)}.rp_filter=2\``;
}

/** sysctl(8) wants a dot in an interface's name written as a slash. */
export function sysctlName(device: string): string {
  return device.replaceAll(".", "/");
}

/**
 * The kernel reports no error here: for a socket bound to a device it asks for the address by ARP when no route is
 * there.
 */
export function missingRoute(line: LineFacts, { target }: TargetFacts): Finding {
  const { path, link, knownGateway, freeMetric } = line;
  const device = path.interface ?? line.sourceDevice ?? "DEVICE";
  const subject = `path ${path.name}: route to ${target.address}`;
  const ip = target.family === 6 ? "ip -6" : "ip";
  const gateway = knownGateway[target.family] ?? "GATEWAY";
  const via = link?.isPointToPoint ? "" : ` via ${gateway}`;
  const command = `\`${ip} route add default${via} dev ${device} metric ${freeMetric[target.family]}\``;
  const whose = via.endsWith("GATEWAY") ? ", GATEWAY being the address of the line's router" : "";
  const text = `there is none over ${device}: each line needs a default route of its own`;
  return bad(
    subject,
    text,
    `${command}${whose}; put it into the line's network configuration, too, or it is gone after the next start`,
  );
}
