/** Parses the rules of `allow` and `deny` in remote.toml. */

import { isIPv6 } from "node:net";
import { type Cidr, parseCidr } from "@hawser/gateway-kit/config";
import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

/** A set of addresses, and a range of ports. */
export interface EgressRule {
  /** The rule as the user wrote it. */
  readonly text: string;
  /** `public`: every address of the Internet (`public-addresses.ts`); `*`: every address. */
  readonly range: Cidr | "public" | "*";
  /** First and last port. */
  readonly ports: readonly [from: number, to: number];
}

const ANY_PORT = [1, 65_535] as const;
const EXAMPLES = "203.0.113.0/24, 203.0.113.7:443, [2001:db8::/32]:8000-8999";

/**
 * Parses `public`, a range or an address; each alone or with `:PORT` or `:PORT-PORT`. IPv6 with a port stands in
 * brackets.
 */
export function parseAllowRule(text: string): Parsed<EgressRule> {
  const rule = parseRule(text);
  if (!rule.ok || rule.value.range !== "*") return rule;
  const port = text.slice(1);
  return problem(
    `${JSON.stringify(text)} would allow this machine's own localhost, too; ` +
      `write "public${port}", or "0.0.0.0/0${port}" and "[::/0]${port}" if that is what you want`,
  );
}

/** As `parseAllowRule`, with `*` in place of `public`. */
export function parseDenyRule(text: string): Parsed<EgressRule> {
  const rule = parseRule(text);
  if (!rule.ok || rule.value.range !== "public") return rule;
  return problem(`${JSON.stringify(text)}: "public" has its place in allow; here write "*${text.slice(6)}"`);
}

function parseRule(text: string): Parsed<EgressRule> {
  const ambiguous = ambiguity(text);
  if (ambiguous) return ambiguous;
  const whole = parseCidr(text);
  if (whole.ok) return finish(text, whole.value, undefined);
  // A text with more than one colon outside of brackets is taken for IPv6, and its fault is described as such.
  const split = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(text);
  if (!split) return problem(whyNoRule(text, whole.problem));
  const [, target = "", ports] = split;
  if (target === "*" || target === "public") return finish(text, target, ports);
  const isBracketed = target.startsWith("[");
  const range = parseCidr(isBracketed ? target.slice(1, -1) : target);
  if (!range.ok) return problem(whyNoRange(text, target, range.problem));
  if (isBracketed && range.value.family === 4)
    return problem(`${JSON.stringify(text)}: brackets are for IPv6; write the IPv4 range without`);
  return finish(text, range.value, ports);
}

/** `2001:db8::1:443` is an address, but its author may have meant a port. */
function ambiguity(text: string): Parsed<never> | undefined {
  const [, head = "", tail] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (!isIPv6(text) || !isIPv6(head)) return undefined;
  return problem(
    `${JSON.stringify(text)} can be read in two ways; write "[${text}]" or "[${head}]:${tail}", whichever you mean`,
  );
}

function finish(text: string, range: EgressRule["range"], ports: string | undefined): Parsed<EgressRule> {
  if (typeof range === "object" && isMapped(range))
    return problem(`${JSON.stringify(text)}: write an IPv4-mapped range as the IPv4 range that it is`);
  if (ports === undefined) return parsed({ text, range, ports: ANY_PORT });
  const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || from < 1 || to > 65_535)
    return problem(
      `${JSON.stringify(text)}: ${JSON.stringify(ports)} is no port from 1 to 65535, nor two such with a "-"`,
    );
  if (from > to)
    return problem(`${JSON.stringify(text)}: the ports run from ${from} down to ${to}; swap them`);
  return parsed({ text, range, ports: [from, to] });
}

function isMapped({ family, address, prefix }: Cidr): boolean {
  return family === 6 && prefix >= 96 && /^(0{0,4}:){2,5}ffff:/i.test(address);
}

function whyNoRule(text: string, why: string): string {
  const [, range, port] = /^(.*):([\d-]+)$/.exec(text) ?? [];
  if (range !== undefined && parseCidr(range).ok)
    return `${JSON.stringify(text)}: write an IPv6 range with a port in brackets, "[${range}]:${port}"`;
  const [, inside, rest] = /^\[([^\]]*)\](\/\d+.*)$/.exec(text) ?? [];
  if (inside !== undefined)
    return `${JSON.stringify(text)}: write the prefix within the brackets, "[${inside}${rest?.replace(/(:.*)?$/, "]$1")}"`;
  return why.includes("prefix") ? why : `${JSON.stringify(text)} is no rule such as ${EXAMPLES}`;
}

function whyNoRange(text: string, target: string, why: string): string {
  if (why.includes("prefix")) return why;
  if (/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.?$/i.test(target)) {
    return (
      `${JSON.stringify(text)}: rules are of addresses, since a name leads wherever its owner wants; ` +
      `write its addresses${target.includes(".") ? "" : ' ("public" and "*" are the only words)'}`
    );
  }
  return `${JSON.stringify(text)} is no rule such as ${EXAMPLES}`;
}
