/** What the doctor looks at, as plain data: gathered by `gather-*.ts`, judged by `*-findings.ts`. */

import type { LocalStatusReport } from "@hawser/status-api/model";
import type { Family, FamilyState } from "iptables-wrapper";
import type { PathConfig } from "../config.ts";
import type { DialTarget } from "../paths/dial-targets.ts";

export interface LinkFacts {
  readonly exists: boolean;
  readonly isUp: boolean;
  /** It leads to one other end, which needs no address: PPP, a tunnel. */
  readonly isPointToPoint: boolean;
  readonly addresses: readonly string[];
}

/** What the routing table says of a packet of a line. `unknown`: it could not be asked. */
export type RouteFacts =
  | { readonly found: "none" | "unknown" }
  | { readonly found: "route"; readonly device: string | undefined; readonly gateway: string | undefined };

/** How a subflow to one address went. */
export type DialFacts =
  | { readonly outcome: "reached"; readonly ms: number }
  | {
      readonly outcome: "failed";
      /** Of TlsError, SystemError or DialError. */
      readonly code: string;
      readonly message: string;
      /** What answered instead of the remote gateway, in its own words. */
      readonly other?: string | undefined;
    };

export interface TargetFacts {
  readonly target: DialTarget;
  readonly route: RouteFacts;
  /** Undefined where there is no route: it would only run into a time-out. */
  readonly dial: DialFacts | undefined;
  /** Of the route's gateway: it does not answer at all (ARP, neighbour discovery). */
  readonly isGatewaySilent: boolean;
}

export interface LineFacts {
  readonly path: PathConfig;
  /** Of `interface`. */
  readonly link: LinkFacts | undefined;
  /** Of `source`: whether it is an address of this machine. */
  readonly isOwnSource: boolean;
  /** The interface that has `source`. */
  readonly sourceDevice: string | undefined;
  /** The strictest that counts for the interface; 1 is strict. */
  readonly reversePathFilter: number;
  readonly targets: readonly TargetFacts[];
  /** Why there is nothing to dial. */
  readonly noTarget: { readonly code: string; readonly message: string } | undefined;
  /** Only where a route is missing: a gateway that the line's other routes name, and a metric that is free. */
  readonly knownGateway: Partial<Record<4 | 6, string>>;
  readonly freeMetric: Readonly<Record<4 | 6, number>>;
}

export interface LanDeviceFacts {
  readonly name: string;
  readonly exists: boolean;
  /** The bridge or bond that it is a part of: what comes in is the bridge's. */
  readonly master: string | undefined;
  /** With their prefix: `192.168.1.1/24`. */
  readonly prefixes: readonly string[];
  /** Whether what comes in over it is forwarded. */
  readonly forwards: Readonly<Record<Family, boolean>>;
}

export interface ConntrackFacts {
  readonly max: number;
  readonly count: number;
}

export interface RuleFacts {
  readonly family: Family;
  readonly state: FamilyState["state"] | "unknown";
  readonly differences: readonly string[];
  /** Of IptablesError, when the state is unknown. */
  readonly code?: string;
  readonly message?: string;
}

/** The firewall's rules as its tools print them; undefined where the tool is not there or not permitted. */
export interface FilterFacts {
  readonly iptables: Readonly<Partial<Record<Family, string>>>;
  readonly nft: string | undefined;
}

export type GatewayFacts =
  | { readonly state: "absent" }
  /** Something else answers at its address. */
  | { readonly state: "foreign"; readonly what: string }
  /** It does not accept this file's token. */
  | { readonly state: "locked" }
  | {
      readonly state: "runs";
      readonly report: LocalStatusReport;
      readonly isHealthy: boolean;
      readonly reason: string;
    };
