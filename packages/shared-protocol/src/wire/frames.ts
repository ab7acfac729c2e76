/** The frames of SPEC.md, section 3, as values. DATA is not among them: the decoder passes its payload on in pieces. */

/** The latest version of the protocol, which a local gateway's first HELLO names (SPEC.md, section 2). */
export const PROTOCOL_VERSION = 2;
/** The oldest version that both gateways still speak. */
export const OLDEST_VERSION = 1;
/** The remote gateway sends EGRESS from this version on (SPEC.md, section 10). */
export const EGRESS_VERSION = 2;

/** The first byte of each frame. */
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
/** Length of a session's random name, bytes. */
export const SESSION_ID_LENGTH = 16;
/** Longest name of a path, bytes of UTF-8. */
export const MAX_PATH_NAME = 64;
/** Longest reason in a CLOSE, bytes of UTF-8. */
export const MAX_REASON = 256;
/** Longest host of an endpoint, bytes of UTF-8. */
export const MAX_HOST = 255;

/** The roles of a path, with their numbers in frames (SPEC.md, section 7). */
export const PathRole = { active: 0, backup: 1, disabled: 2, overflow: 3 } as const;
/** When a path carries data: `active` always, `overflow` while lower tiers are full, `backup` alone, `disabled` never. */
export type PathRole = keyof typeof PathRole;
/** All roles, each at the place of its number. */
export const PATH_ROLES = ["active", "backup", "disabled", "overflow"] as const satisfies readonly PathRole[];

/** The rules that one side follows on a path, besides the path's role (SPEC.md, section 7). */
export interface PathPolicy {
  /** From 1 to MAX_TIER. An overflow path is used while the paths of all lower tiers are full. Active paths are below tier 1. */
  readonly tier: number;
  /** The most that this side may send over all subflows of the path, bytes per second; 0 sets no bound. */
  readonly rate: number;
  /** Each byte of the path costs money: an idle subflow is pinged rarely. */
  readonly metered: boolean;
  /** DATA is sent on a subflow only as far as ALLOWANCE says, and not before the first ALLOWANCE. */
  readonly rationed: boolean;
}
/** Highest tier of a path. */
export const MAX_TIER = 255;
/** Most subflows of one session (SPEC.md, section 8). Each costs both gateways memory and PINGs, even when idle. */
export const MAX_SUBFLOWS = 64;
/** The policy of a path whose HELLO names none. */
export const DEFAULT_POLICY: PathPolicy = { tier: 1, rate: 0, metered: false, rationed: false };

/** By which address families the remote gateway reaches the Internet. */
export interface EgressFamilies {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** How connections come to the local gateway; each kind stands at the place of its number in OPEN. */
export const FLOW_KINDS = ["redirect", "socks", "forward", "connect"] as const;
/** The kinds: by firewall rule, by SOCKS, by a forwarded port, or by `hawser-local connect`. */
export type FlowKind = (typeof FLOW_KINDS)[number];

/** What a CLOSE ends, with its number in the frame (SPEC.md, section 6). */
export const CloseScope = { subflow: 0, session: 1 } as const;
/** One subflow, or the session with all of its subflows. */
export type CloseScope = keyof typeof CloseScope;

/** An address and a TCP port. `host` is an IP literal without brackets, a domain name, or empty for "none". */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The first frame of the local gateway: it joins a subflow to a session (SPEC.md, section 2). */
export interface HelloFrame {
  readonly type: "hello";
  readonly version: number;
  /** The session's name: SESSION_ID_LENGTH random bytes, which the local gateway chose. */
  readonly session: Uint8Array;
  /** The local gateway has joined this session before. */
  readonly resume: boolean;
  /** Name of the path, 1 to 64 of A-Z a-z 0-9 . _ - */
  readonly path: string;
  /** Which of the path's parallel subflows this is, counted from 0. */
  readonly index: number;
  readonly role: PathRole;
  /** This subflow's number. The local gateway uses no number twice in a session. */
  readonly subflow: number;
  /** The rules that the remote gateway follows on the path. Without them DEFAULT_POLICY holds. */
  readonly policy?: PathPolicy;
}
/** The first frame of the remote gateway: the subflow has joined. */
interface WelcomeFrame {
  readonly type: "welcome";
  readonly version: number;
}
/** Ends the subflow or the session; `code` is a CloseCode. */
interface CloseFrame {
  readonly type: "close";
  readonly scope: CloseScope;
  readonly code: number;
  readonly reason: string;
}
/** Asks for an ACK at once. */
interface PingFrame {
  readonly type: "ping";
}
/** How much has come on the subflow that it is sent on (SPEC.md, section 4). */
interface AckFrame {
  readonly type: "ack";
  /** Bytes received on this subflow since HELLO or WELCOME. */
  readonly received: number;
  /** Microseconds since the last of these bytes came. */
  readonly delay: number;
  /** When the last of these bytes came, in microseconds of the receiver's own clock. */
  readonly time: number;
}
/** The path of this subflow has another role from now on. */
interface PathFrame {
  readonly type: "path";
  readonly role: PathRole;
}
/** Another subflow has ended at the local gateway. */
interface GoneFrame {
  readonly type: "gone";
  /** The number that the ended subflow's HELLO gave it. */
  readonly subflow: number;
  /** Bytes received on the ended subflow, counted as in ACK. */
  readonly received: number;
  /** The role of its path at its end: a PATH sent on that subflow may have been lost with it. */
  readonly role: PathRole;
}
/** How much has come on another subflow, whose own ACKs may be lost. */
interface ArrivedFrame {
  readonly type: "arrived";
  /** The number of the other subflow. */
  readonly subflow: number;
  /** Bytes received on the other subflow, counted as in ACK. */
  readonly received: number;
}
/** How far the remote gateway may send DATA on this subflow of a rationed path. */
interface AllowanceFrame {
  readonly type: "allowance";
  /** Count of bytes sent on this subflow, as in ACK, from which on no DATA begins; MAX_VARINT sets no bound. */
  readonly limit: number;
}
/** How the remote gateway reaches the Internet (SPEC.md, section 10). */
interface EgressFrame {
  readonly type: "egress";
  /** Rises with each change in a session. A frame with a lower number than the latest is out of date. */
  readonly number: number;
  readonly families: EgressFamilies;
}
/** Opens a stream to `destination`; `source` is the application's own address. */
interface OpenFrame {
  readonly type: "open";
  readonly stream: number;
  readonly kind: FlowKind;
  readonly destination: Endpoint;
  readonly source: Endpoint;
}
/** The destination has been reached, from the address `bound`. */
interface OpenedFrame {
  readonly type: "opened";
  readonly stream: number;
  readonly bound: Endpoint;
}
/** One direction of the stream ends at this offset, bytes. */
interface FinFrame {
  readonly type: "fin";
  readonly stream: number;
  readonly offset: number;
}
/** The stream is gone in both directions; `code` is a StreamCode. */
interface ResetFrame {
  readonly type: "reset";
  readonly stream: number;
  readonly code: number;
}
/** The receiver of CREDIT may send the stream's bytes up to the offset `limit`. */
interface CreditFrame {
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

/** The frame of one type: `FrameOf<"ack">`. */
export type FrameOf<Type extends Frame["type"]> = Extract<Frame, { readonly type: Type }>;
