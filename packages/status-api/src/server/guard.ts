/** Who may talk to the status server, by the headers of the request. Foreign pages can make browsers ask it, too. */

import type { Secret } from "@hawser/shared-protocol";
import { isLoopbackHost } from "@hawser/shared-protocol";

export const DOCS_ASSETS_ROUTE = "/docs/assets/*";

/** Served without the token: pages that say nothing of this gateway. Their scripts need the token for what does. */
const PAGES: ReadonlySet<string> = new Set(["/", "/docs", "/assets/*", DOCS_ASSETS_ROUTE]);

/**
 * Whether the Host header names this server by an address. A foreign page whose domain name was rebound to this
 * address still sends its own name. The port is not compared: behind a forwarded port it is another one.
 */
export function isOwnHost(header: string, listenHost: string, localAddress: string | undefined): boolean {
  const host = hostOf(header);
  if (host === undefined) return false;
  if (isLoopbackHost(host)) return true;
  return host === listenHost.toLowerCase() || host === localAddress?.replace(/^::ffff:/, "");
}

/**
 * Whether a request comes from this server's own page, or from no page at all. A link on a foreign page may lead here:
 * it changes nothing.
 */
export function isOwnOrigin(method: string, headers: OriginHeaders): boolean {
  const site = headers["sec-fetch-site"];
  const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
  if (isReading(method)) return !isForeign || headers["sec-fetch-mode"] === "navigate";
  return !isForeign && (headers.origin === undefined || headers.origin === `http://${headers.host ?? ""}`);
}

interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | string[] | undefined;
  readonly "sec-fetch-mode"?: string | string[] | undefined;
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** Whether a route is served without the token; `route` as it is registered, undefined for none. */
export function isOpenToAll(method: string, route: string | undefined): boolean {
  return route !== undefined && isReading(method) && (PAGES.has(route) || route === HEALTH_ROUTE);
}

/** Served without the token, for load balancers; the reason is told only with it. */
export const HEALTH_ROUTE = "/healthz";

/** The token of an `Authorization: Bearer` header (RFC 6750, section 2.1); undefined when there is none. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header ?? "")?.[1];
}

/** Whether the header shows the token. The comparison takes as long for a wrong token as for the right one. */
export function showsToken(header: string | undefined, token: Secret): boolean {
  return token.equals(bearerOf(header) ?? "");
}

function hostOf(header: string): string | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Sent with every answer. A page replaces the policy by one that allows its own styles and scripts. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-store",
};
