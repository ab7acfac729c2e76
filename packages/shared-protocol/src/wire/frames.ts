/** The frames of SPEC.md, section 3, as values. DATA's payload is not here: the decoder passes it on in pieces. */

/** The latest version of the protocol, which a local gateway's first HELLO names (SPEC.md, section 2). */
export const PROTOCOL_VERSION = 2;
/** The oldest version that is still spoken. */
export const OLDEST_VERSION = 1;
/** From this version on the remote gateway says EGRESS. */
export const EGRESS_VERSION = 2;

export const FrameType = {
  hello: 0x01,
  welcome: 0x02,
  close: 0x03,
  ping: 0x04,
  ack: 0x05,
  path: 0x06,
  gone: 0x07,
  allowance: 0x08,
  arrived: 0x09,
  egress: 0x0a,
  open: 0x10,
  opened: 0x11,
  data: 0x12,
  fin: 0x13,
  reset: 0x14,
  credit: 0x15,
} as const;

/** Largest payload of a DATA frame, bytes. */
export const MAX_PAYLOAD = 65_536;
/** Credit of every stream at its start, bytes (SPEC.md, section 5). */
export const INITIAL_CREDIT = 65_536;
export const SESSION_ID_LENGTH = 16;
/** Limits of texts, bytes of UTF-8. */
export const MAX_PATH_NAME = 64;
export const MAX_REASON = 256;
export const MAX_HOST = 255;

export const PathRole = { active: 0, backup: 1, disabled: 2, overflow: 3 } as const;
export type PathRole = keyof typeof PathRole;
export const PATH_ROLES = ["active", "backup", "disabled", "overflow"] as const satisfies readonly PathRole[];

/** What one side is to keep to on a path, besides its role (SPEC.md, section 7). */
export interface PathPolicy {
  /** 1..MAX_TIER. An overflow path is used while the lines of all lower tiers are full; active ones are below them all. */
  readonly tier: number;
  /** The most that this side may send over all subflows of the path, bytes per second; 0 for as much as the line takes. */
  readonly rate: number;
  /** While idle, the path is pinged rarely. */
  readonly metered: boolean;
  /** DATA goes over it only as far as ALLOWANCE says, and none before the first. */
  readonly rationed: boolean;
}
export const MAX_TIER = 255;
/** Of one session (SPEC.md, section 8): a few lines with some each. Each of them costs both gateways, idle or not. */
export const MAX_SUBFLOWS = 64;
export const DEFAULT_POLICY: PathPolicy = { tier: 1, rate: 0, metered: false, rationed: false };

/** By which address families the remote gateway reaches the Internet. */
export interface EgressFamilies {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export const FLOW_KINDS = ["redirect", "socks", "forward", "connect"] as const;
export type FlowKind = (typeof FLOW_KINDS)[number];

export const CloseScope = { subflow: 0, session: 1 } as const;
export type CloseScope = keyof typeof CloseScope;

/** An address and port; `host` is an IP literal or a domain name, empty for "none". */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface HelloFrame {
  readonly type: "hello";
  readonly version: number;
  /** 16 bytes of the local gateway's choice. */
  readonly session: Uint8Array;
  readonly resume: boolean;
  readonly path: string;
  /** Which of the path's parallel subflows this is, from 0. */
  readonly index: number;
  readonly role: PathRole;
  /** This subflow's number: the local gateway uses none twice in a session. */
  readonly subflow: number;
  /** For what the remote gateway sends; absent: DEFAULT_POLICY. */
  readonly policy?: PathPolicy;
}
export interface WelcomeFrame {
  readonly type: "welcome";
  readonly version: number;
}
export interface CloseFrame {
  readonly type: "close";
  readonly scope: CloseScope;
  readonly code: number;
  readonly reason: string;
}
export interface PingFrame {
  readonly type: "ping";
}
export interface AckFrame {
  readonly type: "ack";
  /** Bytes received on this subflow since HELLO or WELCOME. */
  readonly received: number;
  /** Microseconds since the last of them came. */
  readonly delay: number;
  /** When that was, in microseconds on a clock of the receiver's own. */
  readonly time: number;
}
export interface PathFrame {
  readonly type: "path";
  readonly role: PathRole;
}
export interface GoneFrame {
  readonly type: "gone";
  /** The number that the subflow's HELLO gave it. */
  readonly subflow: number;
  /** Bytes received on it, as in ACK. */
  readonly received: number;
  /** Its path's, as it was then: a PATH on its own line may come later, or never. */
  readonly role: PathRole;
}
export interface ArrivedFrame {
  readonly type: "arrived";
  /** The number of another subflow, and the bytes received on that, as in ACK. */
  readonly subflow: number;
  readonly received: number;
}
export interface AllowanceFrame {
  readonly type: "allowance";
  /** Count of the bytes on this subflow, as in ACK, beyond which its receiver starts no DATA; MAX_VARINT: without end. */
  readonly limit: number;
}
export interface EgressFrame {
  readonly type: "egress";
  /** Rises with each change in a session; an older number than the last one says nothing. */
  readonly number: number;
  readonly families: EgressFamilies;
}
export interface OpenFrame {
  readonly type: "open";
  readonly stream: number;
  readonly kind: FlowKind;
  readonly destination: Endpoint;
  readonly source: Endpoint;
}
export interface OpenedFrame {
  readonly type: "opened";
  readonly stream: number;
  readonly bound: Endpoint;
}
export interface FinFrame {
  readonly type: "fin";
  readonly stream: number;
  readonly offset: number;
}
export interface ResetFrame {
  readonly type: "reset";
  readonly stream: number;
  readonly code: number;
}
export interface CreditFrame {
  readonly type: "credit";
  readonly stream: number;
  readonly limit: number;
}

/** Every frame but DATA. */
export type Frame =
  | HelloFrame
  | WelcomeFrame
  | CloseFrame
  | PingFrame
  | AckFrame
  | PathFrame
  | GoneFrame
  | AllowanceFrame
  | ArrivedFrame
  | EgressFrame
  | OpenFrame
  | OpenedFrame
  | FinFrame
  | ResetFrame
  | CreditFrame;
