import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { formatEndpoint, isOwnAddress, localAddresses, type Pairing } from "@hawser/shared-protocol/node";
import type { PathConfig } from "../config.ts";
import { dialSubflow } from "../paths/dial.ts";
import { type DialTarget, dialTargets } from "../paths/dial-targets.ts";
import type { RemoteAddresses } from "../remote-addresses.ts";
import { bad, type Finding, note, ok } from "./findings.ts";

/** Checks one line: its device, its address, its reverse-path filter, and the remote gateway over it. */
export async function checkPath(
  path: PathConfig,
  pairing: Pairing,
  remote: RemoteAddresses,
): Promise<Finding[]> {
  const findings = [...checkDevice(path), ...checkSource(path), ...checkReversePath(path)];
  try {
    const targets = await dialTargets(path, pairing.endpoints, remote, localAddresses);
    for (const target of targets) findings.push(await checkRemote(path, pairing, target));
  } catch (error) {
    findings.push(failed(`path ${path.name}: remote`, error, path));
  }
  return findings;
}

function checkDevice({ name, interface: device }: PathConfig): Finding[] {
  if (device === undefined) return [];
  const subject = `path ${name}: interface ${device}`;
  const state = read(`/sys/class/net/${device}/operstate`);
  if (state === undefined)
    return [bad(subject, "does not exist", "`ip link` lists the interfaces; mend path.interface")];
  const flags = Number(read(`/sys/class/net/${device}/flags`) ?? "0");
  if ((flags & 1) === 0) return [bad(subject, "is down", `bring the line up: ip link set ${device} up`)];
  const addresses = (networkInterfaces()[device] ?? []).map(({ address }) => address);
  if (addresses.length === 0)
    return [bad(subject, "has no address", "the line is not connected; look at its dialler or DHCP client")];
  return [ok(subject, `is up with ${addresses.join(", ")}`)];
}

function checkSource({ name, source }: PathConfig): Finding[] {
  if (source === undefined) return [];
  const subject = `path ${name}: source ${source}`;
  if (isOwnAddress(source)) return [ok(subject, "is an address of this machine")];
  return [
    bad(
      subject,
      "is no address of this machine",
      "`ip address` lists them; where it changes, give the interface only",
    ),
  ];
}

/** With strict filtering, answers that come in over the line that the default route does not name are dropped. */
function checkReversePath({ name, interface: device }: PathConfig): Finding[] {
  if (device === undefined) return [];
  const values = ["all", device].map((which) =>
    Number(read(`/proc/sys/net/ipv4/conf/${which}/rp_filter`) ?? "0"),
  );
  if (Math.max(...values) !== 1) return [];
  const mend = `sysctl -w net.ipv4.conf.${device}.rp_filter=2`;
  return [note(`path ${name}: rp_filter`, "is strict, and may drop what comes back over this line", mend)];
}

/** The handshake of a subflow, as far as it proves both keys; nothing joins the session. */
async function checkRemote(path: PathConfig, pairing: Pairing, target: DialTarget): Promise<Finding> {
  const { address, endpoint } = target;
  const at = address === endpoint.host ? "" : ` at ${address}`;
  const subject = `path ${path.name}: remote ${formatEndpoint(endpoint)}${at}`;
  const started = performance.now();
  try {
    const socket = await dialSubflow(path, target, pairing, AbortSignal.timeout(10_000));
    const elapsed = Math.round(performance.now() - started);
    // Not before the handshake's last message has left: the remote gateway would log it as broken off.
    socket.destroySoon();
    return ok(subject, `is reached and knows our key (${elapsed} ms for connection and handshake)`);
  } catch (error) {
    return failed(subject, error, path);
  }
}

function failed(subject: string, error: unknown, path: PathConfig): Finding {
  return bad(subject, (error as Error).message, mendFor(error as NodeJS.ErrnoException, path));
}

function mendFor({ code }: NodeJS.ErrnoException, path: PathConfig): string {
  const device = path.interface ?? "the line's device";
  switch (code) {
    case "ECONNREFUSED":
      return "the line works; start hawser-remote there, or mend the port";
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `no route over ${device}: ip route add default via GATEWAY dev ${device} metric 200`;
    case "ERR_PSK_REFUSED":
      return "the remote does not admit this key: `hawser-remote pair NAME` there, and put the new line here";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name does not resolve; mend DNS, or use the address in the pairing line";
    case "EPERM":
      return "run the doctor as root, or with CAP_NET_RAW";
    default:
      return `does the line work at all? ping -I ${device} HOST; is the remote's port open in its firewall?`;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
