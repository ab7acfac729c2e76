/** The facts that the doctor judges, as plain data. `gather-*.ts` gathers them, `*-findings.ts` judges them. */

import type { LocalStatusReport } from "@hawser/status-api/model";
import type { Family, FamilyState } from "iptables-wrapper";
import type { PathConfig } from "../config.ts";
import type { DialTarget } from "../paths/dial-targets.ts";

export interface LinkFacts {
  readonly exists: boolean;
  readonly isUp: boolean;
  /** The interface leads to a single other end, so a route over it names no gateway: PPP, a tunnel. */
  readonly isPointToPoint: boolean;
  readonly addresses: readonly string[];
}

/** The route that the routing table has for packets of a line. `unknown`: the table could not be asked. */
export type RouteFacts =
  | { readonly found: "none" | "unknown" }
  | { readonly found: "route"; readonly device: string | undefined; readonly gateway: string | undefined };

/** The outcome of dialling a subflow to one address. */
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
  /** Undefined where there is no route: a dial would only end in a time-out. */
  readonly dial: DialFacts | undefined;
  /** The gateway of the route answers neither ARP nor neighbour discovery. */
  readonly isGatewaySilent: boolean;
}

export interface LineFacts {
  readonly path: PathConfig;
  /** The device of `path.interface`. */
  readonly link: LinkFacts | undefined;
  /** Whether `path.source` is an address of this machine. */
  readonly isOwnSource: boolean;
  /** The interface that has the address `path.source`. */
  readonly sourceDevice: string | undefined;
  /** The setting in force for the interface (rp_filter of ip-sysctl): 0 off, 1 strict, 2 loose. */
  readonly reversePathFilter: number;
  readonly targets: readonly TargetFacts[];
  /** Why there is no address to dial. */
  readonly noTarget: { readonly code: string; readonly message: string } | undefined;
  /**
   * By family, only where a route is missing: the gateway that other routes of the line name, and a metric that no route
   * has.
   */
  readonly knownGateway: Partial<Record<4 | 6, string>>;
  readonly freeMetric: Readonly<Record<4 | 6, number>>;
}

export interface LanDeviceFacts {
  readonly name: string;
  readonly exists: boolean;
  /** The bridge or bond that the interface is part of. To the kernel its packets come in over the bridge or bond. */
  readonly master: string | undefined;
  /** The interface's addresses with their prefixes: `192.168.1.1/24`. */
  readonly prefixes: readonly string[];
  /** Whether the kernel forwards packets that come in over the interface. */
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
  /** Code and message of an IptablesError, when the state is unknown. */
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
  /** Another program answers at its address. */
  | { readonly state: "foreign"; readonly what: string }
  /** The gateway does not accept this file's token. */
  | { readonly state: "locked" }
  | {
      readonly state: "runs";
      readonly report: LocalStatusReport;
      readonly isHealthy: boolean;
      readonly reason: string;
    };
