/** local.toml: what it may say, and what the gateway makes of it. */

import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import {
  ConfigError,
  cidrField,
  ErrorCode,
  endpointField,
  formatEndpoint,
  interfaceField,
  limitsField,
  listenField,
  loadConfig,
  loadStatus,
  nameField,
  type Pairing,
  type Parsed,
  parsed,
  parsePairing,
  problem,
  readSecretFile,
  refuseDuplicates,
  Secret,
  type StatusConfig,
  statusField,
  statusSecretAt,
  textField,
  z,
} from "@hawser/shared-protocol/node";
import { PATH_ROLES } from "@hawser/shared-protocol/wire";

/** Longest password, bytes: its length is one byte in RFC 1929. */
const MAX_PASSWORD = 255;

const pathTable = z
  .strictObject({
    name: nameField,
    /** Bind to this device (SO_BINDTODEVICE). */
    interface: interfaceField.optional(),
    /** Bind to this address. */
    source: textField(parseAddress).optional(),
    /** Parallel connections: a bonded line that hashes on ports wants more than one. */
    subflows: z.int().min(1).max(16).default(1),
    role: z.enum(PATH_ROLES).default("active"),
  })
  .refine(
    (path) => path.interface !== undefined || path.source !== undefined,
    'needs "interface", "source" or both; without them it would take whatever line the default route takes',
  );

const captureTable = z
  .strictObject({
    listen: z.array(listenField).min(1).prefault(["0.0.0.0:12345", "[::]:12345"]),
    /** Interfaces whose TCP is redirected. */
    from: z.array(interfaceField).default([]),
    /** Whether the gateway installs the rules at start and removes them at stop. */
    rules: z.boolean().default(true),
    bypass: z.array(cidrField).default([]),
  })
  .superRefine(({ from, rules }, context) => {
    if (!rules || from.length > 0) return;
    const message = 'names no interface; write the ones of the LAN, such as ["br-lan"], or rules = false';
    context.addIssue({ code: "custom", path: ["from"], message });
  });

const socksTable = z.strictObject({
  listen: listenField,
  /** With users, clients must authenticate as RFC 1929 has it; without, whoever reaches the port may use it. */
  users: z
    .record(z.string(), textField(parsePassword))
    .transform((users): ReadonlyMap<string, Secret> => new Map(Object.entries(users)))
    .optional(),
});

const forwardTable = z.strictObject({ listen: listenField, to: endpointField });

const localSchema = z
  .strictObject({
    remote: z.union([textField(parsePairing), z.strictObject({ file: z.string().min(1) })]),
    path: z.array(pathTable).min(1).superRefine(refuseDuplicates("name")),
    capture: captureTable.optional(),
    socks: socksTable.optional(),
    forward: z.array(forwardTable).default([]),
    status: statusField("127.0.0.1:8080"),
    limits: limitsField,
  })
  .superRefine((config, context) => refuseSharedListeners(config, context));

type LocalFile = z.output<typeof localSchema>;

export type PathConfig = LocalFile["path"][number];
export type CaptureConfig = NonNullable<LocalFile["capture"]>;
export type SocksConfig = NonNullable<LocalFile["socks"]>;
export type ForwardConfig = LocalFile["forward"][number];

/** Frozen. Without `capture` nothing is redirected, without `socks` there is no SOCKS server. */
export interface LocalConfig {
  readonly remote: Pairing;
  /** At least one; names are unique. */
  readonly paths: readonly PathConfig[];
  readonly capture: CaptureConfig | undefined;
  readonly socks: SocksConfig | undefined;
  readonly forwards: readonly ForwardConfig[];
  readonly status: StatusConfig;
  readonly limits: LocalFile["limits"];
}

/**
 * Reads local.toml and the pairing file that it may name, relative to itself.
 * @throws ConfigError with every finding; exit code 2.
 */
export function loadLocalConfig(file: string): LocalConfig {
  const parsed = loadConfig(file, localSchema, { secretAt });
  const { remote, path, capture, socks, forward, limits } = parsed;
  const status = loadStatus(file, parsed.status);
  const pairing = "file" in remote ? readPairing(resolve(dirname(file), remote.file)) : remote;
  return Object.freeze({ remote: pairing, paths: path, capture, socks, forwards: forward, status, limits });
}

function secretAt(config: LocalFile): string | undefined {
  const { remote, socks } = config;
  if ("psk" in remote) return "remote";
  return socks?.users && socks.users.size > 0 ? "socks.users" : statusSecretAt(config);
}

function readPairing(file: string): Pairing {
  const pairing = parsePairing(readSecretFile(file));
  if (pairing.ok) return pairing.value;
  throw new ConfigError(ErrorCode.pairingMalformed, [{ file, key: "", what: pairing.problem }]);
}

function parseAddress(text: string): Parsed<string> {
  if (isIP(text) !== 0) return parsed(text);
  return problem(`${JSON.stringify(text)} is not an IP address of this machine; \`ip address\` lists them`);
}

function parsePassword(text: string): Parsed<Secret> {
  if (text === "") return problem("is an empty password");
  if (Buffer.byteLength(text) > MAX_PASSWORD) return problem(`is longer than ${MAX_PASSWORD} bytes`);
  return parsed(Secret.fromText(text));
}

/** Two listeners at one address: the second would fail at start, when the first may be serving already. */
function refuseSharedListeners(config: LocalFile, context: z.RefinementCtx): void {
  const { capture, socks, forward, status } = config;
  const listeners = [
    ...(capture?.listen ?? []).map((listen, i) => ({ path: ["capture", "listen", i], listen })),
    ...(socks ? [{ path: ["socks", "listen"], listen: socks.listen }] : []),
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
