import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Endpoint } from "../wire/frames.ts";
import { canonicalIp } from "./ip-address.ts";
import { type Parsed, parsed, problem } from "./parsed.ts";

const DOMAIN_LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** Reads `HOST:PORT` or `[IPV6]:PORT`, with a port from 1 to 65535. A problem quotes the text. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  const split = splitHostPort(text);
  if (!split.ok) return split;
  const { host, port } = split.value;
  if (port === 0) return problem(`${quote(text)}: port 0 cannot be reached; write a port from 1 to 65535`);
  return parsed({ host, port });
}

/** Reads a host alone: an IP address or a domain name. IPv6 may stand in brackets. A problem quotes the text. */
export function parseHost(text: string): Parsed<string> {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIPv6(bare) || (bare === text && isHost(text))) return parsed(bare);
  return problem(`${quote(text)} is neither an IP address nor a domain name`);
}

/** As `parseEndpoint`, for a listener: port 0 is allowed, and has the kernel choose a free port. */
export function parseListenEndpoint(text: string): Parsed<Endpoint> {
  return splitHostPort(text);
}

/** Writes the text that `parseEndpoint` reads, with IPv6 in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a listener at this host accepts connections to every address of the machine: `0.0.0.0` or `::`, in any spelling. */
export function isWildcardHost(host: string): boolean {
  return isIPv4(host) ? host === "0.0.0.0" : isIPv6(host) && /^[0:]+$/.test(host);
}

/** Whether a listener at this host, or a connection to it, stays on this machine. */
export function isLoopbackHost(host: string): boolean {
  const ip = canonicalIp(host);
  return host.toLowerCase() === "localhost" || ip === "::1" || (isIPv4(ip) && ip.startsWith("127."));
}

function splitHostPort(text: string): Parsed<Endpoint> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,6})$/.exec(text);
  if (!match) return problem(whyNotHostPort(text));
  const [, bracketed, bare, digits] = match;
  const port = Number(digits);
  if (port > 65535) return problem(`${quote(text)}: port ${port} is above 65535`);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) return problem(`${quote(text)}: ${quote(bracketed)} is not an IPv6 address`);
    return parsed({ host: bracketed, port });
  }
  const host = bare ?? "";
  if (host === "" || host === "*") {
    return problem(
      `${quote(text)} names no host; for every address write "0.0.0.0:${port}" or "[::]:${port}"`,
    );
  }
  if (!isHost(host)) {
    return problem(`${quote(text)}: ${quote(host)} is neither an IP address nor a domain name`);
  }
  return parsed({ host, port });
}

function whyNotHostPort(text: string): string {
  if (isIPv6(text)) return `${quote(text)} has no port; write "[${text}]:PORT"`;
  const colon = text.lastIndexOf(":");
  const head = text.slice(0, colon);
  if (colon > 0 && isIPv6(head)) return `${quote(text)}: write an IPv6 address in brackets, "[${head}]:PORT"`;
  if (isHost(text) || /^\[[^\]]*\]$/.test(text)) return `${quote(text)} has no port; write "${text}:PORT"`;
  return `${quote(text)} is not HOST:PORT or [IPV6]:PORT`;
}

/** Whether the text is an IPv4 address or a domain name. With digits alone behind the last dot it is a mistyped IPv4 address. */
function isHost(text: string): boolean {
  if (isIP(text) === 4) return true;
  const labels = text.replace(/\.$/, "").split(".");
  if (text.length > 253 || /^\d*$/.test(labels.at(-1) ?? "")) return false;
  return labels.every((label) => DOMAIN_LABEL.test(label));
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
