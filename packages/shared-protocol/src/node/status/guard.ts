/** Who may talk to the status server, told from the request's headers: browsers are sent here by foreign pages, too. */

import { isIP, isIPv4 } from "node:net";

/**
 * Whether the Host header names this server by an address. A foreign page whose domain name was rebound to this
 * address still sends its own name. The port is not compared: a forwarded port is another one.
 */
export function isOwnHost(
  header: string | undefined,
  listenHost: string,
  localAddress: string | undefined,
): boolean {
  const host = hostOf(header);
  if (host === undefined) return false;
  if (host === "localhost" || isLoopback(host)) return true;
  return host === listenHost.toLowerCase() || host === localAddress?.replace(/^::ffff:/, "");
}

/** Whether a request that changes something comes from this server's own page, or from no page at all. */
export function isOwnOrigin(headers: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | string[] | undefined;
}): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host ?? ""}`;
}

function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? "");
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isLoopback(host: string): boolean {
  return isIPv4(host) ? host.startsWith("127.") : isIP(host) === 6 && /^(0{0,4}:){2,7}0{0,3}1$/.test(host);
}

/** Sent with every answer. Pages add the hashes of their own styles and scripts to the policy. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};
