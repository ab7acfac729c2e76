/** Decides which destinations a peer may reach: those that `allow` names and `deny` does not. */

import { BlockList, isIP } from "node:net";
import { isOwnAddress } from "@hawser/linux-sockets";
import { canonicalIp } from "@hawser/shared-protocol";
import { embeddedIpv4, whyNotPublic } from "./public-addresses.ts";
import type { EgressRule } from "./rules.ts";

export interface PolicyOptions {
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
  /** Whether an address is this machine's. */
  readonly isOwn?: (ip: string) => boolean;
}

/** Judges single addresses. A name is judged by each of its addresses. */
export class EgressPolicy {
  readonly #allow: readonly Matcher[];
  readonly #deny: readonly Matcher[];
  readonly #isOwn: (ip: string) => boolean;

  constructor({ allow, deny, isOwn = isOwnAddress }: PolicyOptions) {
    this.#isOwn = isOwn;
    const isPublic = (ip: string): boolean => this.#whyLeftOut(ip) === undefined;
    this.#allow = allow.map((rule) => matcher(rule, isPublic));
    this.#deny = deny.map((rule) => matcher(rule, isPublic));
  }

  /**
   * Says, for the log, why this address must not be reached at this port; undefined when it may be. Any spelling will
   * do.
   */
  whyDenied(address: string, port: number): string | undefined {
    const ip = canonicalIp(address);
    if (isIP(ip) === 0) return "no address";
    // `deny` also covers an address that embeds a denied one (NAT64, 6to4); `allow` covers an address only as it is
    // written.
    const inner = embeddedIpv4(ip);
    const denied = this.#deny.find(
      ({ matches }) => matches(ip, port) || (inner !== undefined && matches(inner, port)),
    );
    if (denied) return `the rule ${denied.text} in deny`;
    if (this.#allow.some(({ matches }) => matches(ip, port))) return undefined;
    return `${this.#whyLeftOut(ip) ?? "public"}, and no rule in allow names it`;
  }

  /**
   * Why `public` does not cover an address. Packets to this machine's own addresses come by its loopback interface,
   * past the firewall that protects its services from the Internet.
   */
  #whyLeftOut(ip: string): string | undefined {
    return whyNotPublic(ip) ?? (this.#isOwn(embeddedIpv4(ip) ?? ip) ? "this machine itself" : undefined);
  }
}

type Matches = (ip: string, port: number) => boolean;

interface Matcher {
  readonly text: string;
  readonly matches: Matches;
}

function matcher({ text, range, ports: [from, to] }: EgressRule, isPublic: Matches): Matcher {
  const isInRange = range === "*" ? () => true : range === "public" ? isPublic : inSubnet(range);
  return { text, matches: (ip, port) => port >= from && port <= to && isInRange(ip, port) };
}

function inSubnet({ family, address, prefix }: Exclude<EgressRule["range"], string>): Matches {
  const list = new BlockList();
  list.addSubnet(address, prefix, `ipv${family}`);
  return (ip) => isIP(ip) === family && list.check(ip, `ipv${family}`);
}
