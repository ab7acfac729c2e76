/** Facts of a line that is well, for tests that change one of them. */

import type { PathConfig } from "../config.ts";
import type { DialFacts, LineFacts, TargetFacts } from "./facts.ts";
import type { Finding } from "./findings.ts";

export function path(name: string, change: Partial<PathConfig> = {}): PathConfig {
  return { name, subflows: 1, role: "active", tier: 1, maxRate: {}, metered: false, ...change } as PathConfig;
}

export function target(family: 4 | 6 = 4, dial: DialFacts = { outcome: "reached", ms: 12 }): TargetFacts {
  const address = family === 6 ? "2001:db8::1" : "203.0.113.1";
  return {
    target: { address, family, endpoint: { host: address, port: 4433 } },
    route: { found: "route", device: "wan0", gateway: "10.0.0.254" },
    dial,
    isGatewaySilent: false,
  };
}

export function failed(code: string, message = "said so", other?: string): DialFacts {
  return { outcome: "failed", code, message, other };
}

export function line(change: Partial<LineFacts> = {}): LineFacts {
  return {
    path: path("adsl1", { interface: "wan0" }),
    link: { exists: true, isUp: true, isPointToPoint: false, addresses: ["10.0.0.1"] },
    isOwnSource: false,
    sourceDevice: undefined,
    reversePathFilter: 0,
    targets: [target()],
    noTarget: undefined,
    knownGateway: {},
    freeMetric: { 4: 200, 6: 300 },
    ...change,
  };
}

/** A line for each finding; with `mend` how to mend it, too. */
export function said(findings: readonly Finding[], mend?: "mend"): string[] {
  return findings.map((each) => {
    const text = `${each.level} ${each.subject}: ${each.text}`;
    return mend && each.mend !== undefined ? `${text} -> ${each.mend}` : text;
  });
}
