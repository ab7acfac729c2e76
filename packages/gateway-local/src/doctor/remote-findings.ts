/** Judges whether each line reaches the remote gateway. */

import { formatEndpoint } from "@hawser/shared-protocol";
import type { DialTarget } from "../paths/dial-targets.ts";
import type { DialFacts, LineFacts, RouteFacts, TargetFacts } from "./facts.ts";
import { bad, type Finding, ok } from "./findings.ts";
import { loosen, missingRoute } from "./line-findings.ts";

type Failed = Extract<DialFacts, { readonly outcome: "failed" }>;

/** What a failed dial is judged by, besides its error. */
interface Case {
  readonly device: string;
  readonly target: DialTarget;
  readonly route: RouteFacts;
  readonly isGatewaySilent: boolean;
  /** The line's reverse-path filter is strict. */
  readonly isStrict: boolean;
  /** Another line reaches the remote gateway at this address. */
  readonly isReachedElsewhere: boolean;
  /** The name under which the home is paired. */
  readonly name: string;
}

type Judgement = readonly [text: string, mend: string];

/**
 * `name` is the home's name in its pairing line. `reached` are the addresses at which some line reaches the remote
 * gateway.
 */
export function remoteFindings(line: LineFacts, name: string, reached: ReadonlySet<string>): Finding[] {
  const { path, noTarget, link } = line;
  // The interface is the cause, and lineFindings has said so.
  if (link && (!link.exists || !link.isUp || link.addresses.length === 0)) return [];
  if (noTarget) {
    const [text, mend] = unresolved(noTarget);
    return [bad(`path ${path.name}: remote`, text, mend)];
  }
  return line.targets.map((facts) => {
    const { target, route, dial, isGatewaySilent } = facts;
    if (!dial) return missingRoute(line, facts);
    const subject = `path ${path.name}: remote ${nameOf(target)}`;
    if (dial.outcome === "reached")
      return ok(subject, `is reached and knows our key (${dial.ms} ms for connection and handshake)`);
    const device = path.interface ?? line.sourceDevice ?? "the line's device";
    const isReachedElsewhere = reached.has(target.address);
    const isStrict = line.reversePathFilter === 1 && target.family === 4;
    const about: Case = { device, target, route, isGatewaySilent, isStrict, isReachedElsewhere, name };
    return bad(subject, ...judge(dial, about));
  });
}

/** The addresses at which lines reach the remote gateway. */
export function reachedAddresses(lines: readonly LineFacts[]): ReadonlySet<string> {
  const reached = lines.flatMap(({ targets }) => targets.filter(({ dial }) => dial?.outcome === "reached"));
  return new Set(reached.map(({ target }: TargetFacts) => target.address));
}

function nameOf({ address, endpoint }: DialTarget): string {
  return `${formatEndpoint(endpoint)}${address === endpoint.host ? "" : ` at ${address}`}`;
}

function unresolved({ code, message }: NonNullable<LineFacts["noTarget"]>): Judgement {
  const isName = code === "ENOTFOUND" || code === "EAI_AGAIN";
  const mend = isName
    ? "see DNS above"
    : "give path.source an address of a family that the remote has, or path.interface alone";
  return [message, mend];
}

function judge(dial: Failed, about: Case): Judgement {
  const { code, message, other } = dial;
  if (other !== undefined || code === "ERR_NOT_PSK") return somethingElse(other ?? message, about);
  switch (code) {
    case "ECONNREFUSED":
      return [
        "the VPS answers, but no program listens at that port",
        "on the VPS: `systemctl start hawser-remote`; `hawser-remote status` there says whether it runs",
      ];
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return unreachable(code, about);
    case "ERR_PSK_REFUSED":
      return refused(message, about);
    case "ERR_HANDSHAKE_FAILED":
    case "ERR_HANDSHAKE_CLOSED":
    case "ERR_HANDSHAKE_DEADLINE":
      return noHandshake(message, about);
    case "EPERM":
      return [message, "`sudo hawser-local doctor`"];
    default:
      return silent(message, about);
  }
}

/** Another program answers at that port, or a device on the way answers instead: a captive portal. */
function somethingElse(what: string, { device, target, isReachedElsewhere }: Case): Judgement {
  const { port } = target.endpoint;
  const text = `something else answers there, not hawser-remote: ${what}`;
  if (isReachedElsewhere) {
    const page = `\`curl -i --interface ${device} http://example.com/\``;
    const mend = `the other lines reach hawser-remote there, so this line has a captive portal or a plan that is used up: ${page} shows its page`;
    return [text, mend];
  }
  const which = `\`ss -ltnp sport = :${port}\` on the VPS says which program has the port`;
  return [text, `${which}: give hawser-remote another one; if it is hawser-remote, a captive portal answers`];
}

/** There is a route: without one the finding is `missingRoute`. */
function unreachable(code: string, { device, target, route, isGatewaySilent }: Case): Judgement {
  const gateway = route.found === "route" ? route.gateway : undefined;
  if (route.found === "unknown")
    return [
      `no way there (${code})`,
      `\`ip route get ${target.address} oif ${device}\` says which way it goes`,
    ];
  if (isGatewaySilent && gateway !== undefined) {
    const mend = `is the line's router on, and is that its address? \`ping -I ${device} ${gateway}\``;
    return [`the line's router ${gateway} does not answer (${code})`, mend];
  }
  const who = gateway === undefined ? "the line's other end" : `the line's router ${gateway}`;
  const text = `${who} says that it cannot be reached (${code}); the route over ${device} is there`;
  const mend = `is that router connected, and does it let this router out? \`ping -I ${device} ${target.address}\``;
  return [text, mend];
}

function refused(message: string, { name }: Case): Judgement {
  const commands = `\`hawser-remote rotate ${name}\`, or, if that says that it is not admitted, \`hawser-remote pair ${name}\``;
  const then =
    "put what it prints in place of the pairing line here, then `systemctl reload-or-restart hawser-local`";
  return [`${message}: the pairing line here is of "${name}"`, `on the VPS: ${commands}; ${then}`];
}

/** The TCP connection is made, but no TLS handshake follows. */
function noHandshake(message: string, { device, target, isReachedElsewhere }: Case): Judgement {
  const text = `a connection is made, but ${message}`;
  if (isReachedElsewhere) {
    const mend = `the other lines reach hawser-remote there, so something on this one interferes: \`curl -i --interface ${device} http://example.com/\` shows whether a captive portal does`;
    return [text, mend];
  }
  const { port } = target.endpoint;
  const mend = `on the VPS \`ss -ltnp sport = :${port}\` says which program has the port, and \`hawser-remote logs\` what it says`;
  return [text, mend];
}

function silent(message: string, { device, target, isStrict, isReachedElsewhere }: Case): Judgement {
  const ping = `\`ping -I ${device} ${target.address}\``;
  if (isStrict) {
    const mend = `the strict reverse-path filter drops the packets that come back, unless this line has the best route: ${loosen(device)}`;
    return [message, mend];
  }
  if (isReachedElsewhere)
    return [message, `the other lines reach it, so this line does not get through: ${ping}`];
  const { port } = target.endpoint;
  return [message, `does the line work? ${ping}; does the VPS's firewall let TCP port ${port} in?`];
}
