/** The configuration file local.toml: its schema, and the configuration that the gateway makes of it. */

import { isIP, isIPv6 } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  atKey,
  ConfigError,
  ErrorCode,
  type Finding,
  installCommand,
  readSecretFile,
  type StatusConfig,
} from "@hawser/gateway-kit/config";
import {
  cidrField,
  endpointField,
  findStatus,
  interfaceField,
  limitsField,
  listenField,
  listenListField,
  loadConfig,
  loadStatus,
  nameField,
  rateField,
  refuseDuplicates,
  sizeField,
  statusField,
  statusSecretAt,
  textField,
} from "@hawser/gateway-kit/schema";
import { hasIpv6 } from "@hawser/linux-sockets";
import {
  type Endpoint,
  formatEndpoint,
  isLoopbackHost,
  MAX_SUBFLOWS,
  MAX_TIER,
  PATH_ROLES,
  type Pairing,
  type Parsed,
  parsed,
  parsePairing,
  problem,
  Secret,
} from "@hawser/shared-protocol";
import { QUOTA_COUNTS, QUOTA_ENDS } from "@hawser/status-api/model";
import { z } from "zod";

/** Longest password, bytes: RFC 1929 gives its length one byte. */
const MAX_PASSWORD = 255;

/** A quota below this is taken for a wrong unit, bytes. */
const MIN_QUOTA = 1e6;
/** The configuration to begin with. */
const EXAMPLE = fileURLToPath(new URL("../../../deploy/local.example.toml", import.meta.url));
/** The status server's default address. */
const STATUS_LISTEN = "127.0.0.1:8080";
/** A line below this rate is of no use, bits per second. */
const MIN_RATE = 64e3;

const quotaTable = z
  .strictObject({
    /** Bytes of IP packets per month. */
    bytes: sizeField(MIN_QUOTA),
    /** Day of the month on which the quota begins anew, in local time. A month without this day uses its last day. */
    reset_day: z.int().min(1).max(31).default(1),
    when_reached: z.enum(QUOTA_ENDS).default("backup"),
    count: z.enum(QUOTA_COUNTS).default("both"),
  })
  .transform(({ bytes, reset_day, when_reached, count }) => ({
    bytes,
    resetDay: reset_day,
    whenReached: when_reached,
    count,
  }));

const maxRateTable = z
  .strictObject({ down: rateField(MIN_RATE).optional(), up: rateField(MIN_RATE).optional() })
  .refine(({ down, up }) => down !== undefined || up !== undefined, 'needs "down", "up" or both');

const pathTable = z
  .strictObject({
    name: nameField,
    /** The device that connections are bound to (SO_BINDTODEVICE). */
    interface: interfaceField.optional(),
    /** The address that connections are bound to. */
    source: textField(parseAddress).optional(),
    /** How many connections run in parallel: a bonded line that hashes on ports needs more than one. */
    subflows: z.int().min(1).max(16).default(1),
    role: z.enum(PATH_ROLES).default("active"),
    /** Orders overflow paths: the lowest tier is used first. */
    tier: z.int().min(1).max(MAX_TIER).optional(),
    max_rate: maxRateTable.optional(),
    quota: quotaTable.optional(),
    /** Whether an idle subflow is pinged rarely, since each byte costs money. */
    metered: z.boolean().default(false),
  })
  .refine(
    (path) => path.interface !== undefined || path.source !== undefined,
    'needs "interface", "source" or both; without them it would take whatever line the default route takes',
  )
  .superRefine(({ role, tier }, context) => {
    if (tier === undefined || role === "overflow") return;
    const message = 'is for overflow paths; write role = "overflow", or leave it out';
    context.addIssue({ code: "custom", path: ["tier"], message });
  })
  .transform(({ max_rate, tier, ...path }) => ({ ...path, tier: tier ?? 1, maxRate: max_rate ?? {} }));

/** All addresses of the machine: IPv4, and IPv6 when the machine has it. */
function defaultListen(): string[] {
  return hasIpv6() ? ["0.0.0.0:12345", "[::]:12345"] : ["0.0.0.0:12345"];
}

const captureTable = z
  .strictObject({
    listen: listenListField.prefault(defaultListen),
    /** Interfaces whose TCP is redirected. */
    from: z.array(interfaceField).default([]),
    /** Whether the gateway installs the rules at start and removes them at stop. */
    rules: z.boolean().default(true),
    bypass: z.array(cidrField).default([]),
    /** What happens to UDP 443 to destinations whose TCP is captured. */
    quic: textField(parseQuic).default("reject"),
  })
  .superRefine(({ listen, from, rules }, context) => {
    if (!rules) return;
    if (from.length === 0) {
      const message = 'names no interface; write the ones of the LAN, such as ["br-lan"], or rules = false';
      context.addIssue({ code: "custom", path: ["from"], message });
    }
    for (const [i, endpoint] of listen.entries()) {
      const message = whyNoTarget(endpoint);
      if (message) context.addIssue({ code: "custom", path: ["listen", i], message });
    }
  });

const socksTable = z.strictObject({
  listen: listenListField,
  /** With users, clients must authenticate by RFC 1929. Without users, whoever reaches the port may use it. */
  users: z
    .record(z.string(), textField(parsePassword))
    .transform((users): ReadonlyMap<string, Secret> => new Map(Object.entries(users)))
    .optional(),
});

const forwardTable = z.strictObject({ listen: listenField, to: endpointField });

export const localSchema = z
  .strictObject({
    remote: z.union([textField(parsePairing), z.strictObject({ file: z.string().min(1) })]),
    path: z
      .array(pathTable)
      .min(1)
      .superRefine(refuseDuplicates("path", "name"))
      .superRefine(refuseTooManySubflows),
    capture: captureTable.optional(),
    socks: socksTable.optional(),
    forward: z.array(forwardTable).default([]),
    status: statusField(STATUS_LISTEN),
    limits: limitsField,
    /** The folder of files that outlive a restart. */
    state: z.string().min(1).optional(),
  })
  .superRefine((config, context) => refuseSharedListeners(config, context));

type LocalFile = z.output<typeof localSchema>;

export type PathConfig = LocalFile["path"][number];
export type QuotaConfig = NonNullable<PathConfig["quota"]>;
export type CaptureConfig = NonNullable<LocalFile["capture"]>;
export type SocksConfig = NonNullable<LocalFile["socks"]>;
export type ForwardConfig = LocalFile["forward"][number];

/** The configuration, frozen. Without `capture` nothing is redirected; without `socks` there is no SOCKS server. */
export interface LocalConfig {
  readonly remote: Pairing;
  /** At least one path, with unique names. */
  readonly paths: readonly PathConfig[];
  readonly capture: CaptureConfig | undefined;
  readonly socks: SocksConfig | undefined;
  readonly forwards: readonly ForwardConfig[];
  readonly status: StatusConfig;
  readonly limits: LocalFile["limits"];
  /** The folder of files that outlive a restart: the quotas' counts. */
  readonly state: string;
}

/**
 * Reads local.toml and the pairing file that local.toml may name by a path relative to itself.
 * @throws ConfigError with every finding; exit code 2.
 */
export function loadLocalConfig(file: string): LocalConfig {
  const whenMissing = `run: ${installCommand(EXAMPLE, file)}`;
  const parsed = loadConfig(file, localSchema, { secretAt, whenMissing });
  const { remote, path, capture, socks, forward, limits, state } = parsed;
  const status = loadStatus(file, parsed.status);
  const pairing = "file" in remote ? loadPairing(file, remote.file) : remote;
  refuseOtherFamilies(file, path, pairing);
  return Object.freeze({
    remote: pairing,
    paths: path,
    capture,
    socks,
    forwards: forward,
    status,
    limits,
    state: state === undefined ? defaultState(file) : resolve(dirname(file), state),
  });
}

/** The status address of the gateway that runs with this file. The file may be broken by now. */
export function findLocalStatus(file: string, tell?: (text: string) => void): StatusConfig {
  return findStatus(file, (whole) => loadLocalConfig(whole).status, STATUS_LISTEN, tell);
}

/** The service's StateDirectory (systemd.exec(5)), or the folder of the configuration. */
function defaultState(file: string): string {
  const [given] = (process.env["STATE_DIRECTORY"] ?? "").split(":");
  return given ? given : dirname(resolve(file));
}

function secretAt(config: LocalFile): string | undefined {
  const { remote, socks } = config;
  if ("psk" in remote) return "remote";
  return socks?.users && socks.users.size > 0 ? "socks.users" : statusSecretAt(config);
}

/** Reads the pairing file that `remote.file` of the configuration `file` names. */
function loadPairing(file: string, named: string): Pairing {
  return atKey(file, "remote.file", () => readPairing(resolve(dirname(file), named)));
}

function readPairing(file: string): Pairing {
  const pairing = parsePairing(readSecretFile(file, whenNoPairing(file)));
  if (pairing.ok) return pairing.value;
  throw new ConfigError(ErrorCode.pairingMalformed, [{ file, key: "", what: pairing.problem }]);
}

/** The local gateway cannot make a pairing line itself: its user brings the line from the VPS. */
function whenNoPairing(file: string): string {
  const here = installCommand("/dev/stdin", file);
  return `run on the VPS: hawser-remote pair home; then here: ${here}; paste the line, and press Enter and Ctrl-D`;
}

/**
 * Refuses a `source` of a family that no endpoint has: no line reaches IPv4 from an IPv6 address, or the other way
 * round. The families of a name are not known yet.
 */
function refuseOtherFamilies(file: string, paths: LocalFile["path"], { endpoints }: Pairing): void {
  const families = new Set(endpoints.map(({ host }) => isIP(host)));
  if (families.has(0)) return;
  const findings = [...paths.entries()].flatMap(([i, { source }]): Finding[] => {
    if (source === undefined || families.has(isIP(source))) return [];
    const remote = endpoints.map(formatEndpoint).join(", ");
    const what = `is an IPv${isIP(source)} address, from which the remote gateway (${remote}) cannot be reached`;
    return [{ file, key: `path[${i}].source`, what }];
  });
  if (findings.length > 0) throw new ConfigError(ErrorCode.configInvalid, findings);
}

/**
 * Why REDIRECT cannot lead to this address: it sends a connection to the address of the interface that the connection
 * came in by (iptables-extensions(8)).
 */
function whyNoTarget({ host, port }: Endpoint): string | undefined {
  if (port === 0) return "needs a port that the redirect rules can name; write one from 1 to 65535";
  if (!isLoopbackHost(host)) return undefined;
  const everywhere = formatEndpoint({ host: isIPv6(host) ? "::" : "0.0.0.0", port });
  return `is not reached by what comes from the LAN; write "${everywhere}"`;
}

function parseAddress(text: string): Parsed<string> {
  if (isIP(text) !== 0) return parsed(text);
  return problem(`${JSON.stringify(text)} is not an IP address of this machine; \`ip address\` lists them`);
}

function parseQuic(text: string): Parsed<"reject" | "pass"> {
  if (text === "reject" || text === "pass") return parsed(text);
  if (text === "carry") return problem('"carry" comes in a later version; write "reject" or "pass"');
  return problem(`${JSON.stringify(text)} is unknown; write "reject" or "pass"`);
}

function parsePassword(text: string): Parsed<Secret> {
  if (text === "") return problem("is an empty password");
  if (Buffer.byteLength(text) > MAX_PASSWORD) return problem(`is longer than ${MAX_PASSWORD} bytes`);
  return parsed(Secret.fromText(text));
}

/**
 * The remote gateway would refuse the subflows beyond a session's limit one by one, and the lines would dial them for
 * ever.
 */
function refuseTooManySubflows(
  paths: readonly { readonly subflows: number }[],
  context: z.RefinementCtx,
): void {
  const all = paths.reduce((sum, { subflows }) => sum + subflows, 0);
  if (all <= MAX_SUBFLOWS) return;
  const most = paths.findIndex(
    ({ subflows }) => subflows === Math.max(...paths.map((path) => path.subflows)),
  );
  const each = Math.max(1, Math.floor(MAX_SUBFLOWS / paths.length));
  const message = `makes ${all} for all paths together, and the remote gateway takes ${MAX_SUBFLOWS}; write ${each}, or leave it out`;
  context.addIssue({ code: "custom", path: [most, "subflows"], message });
}

/** Refuses two listeners at one address: the second would fail at start, when the first may already serve. */
function refuseSharedListeners(config: LocalFile, context: z.RefinementCtx): void {
  const { capture, socks, forward, status } = config;
  const listeners = [
    ...(capture?.listen ?? []).map((listen, i) => ({ path: ["capture", "listen", i], listen })),
    ...(socks?.listen ?? []).map((listen, i) => ({ path: ["socks", "listen", i], listen })),
    ...forward.map(({ listen }, i) => ({ path: ["forward", i, "listen"], listen })),
    { path: ["status", "listen"], listen: status.listen },
  ];
  const taken = new Set<string>();
  for (const { path, listen } of listeners) {
    const address = formatEndpoint(listen);
    if (listen.port !== 0 && taken.has(address)) {
      const message = `${address} is taken by another listener of this file; choose another port`;
      context.addIssue({ code: "custom", path, message });
    }
    taken.add(address);
  }
}
