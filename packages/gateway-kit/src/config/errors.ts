/** Errors that a user can do something about: a stable code for programs, one line for people, an exit code. */

/** The codes of errors that people and scripts meet. A code keeps its name and meaning. */
export const ErrorCode = {
  /** A configuration, identity or pairing file cannot be read. */
  configUnreadable: "CONFIG_UNREADABLE",
  /** The file is not TOML. */
  configSyntax: "CONFIG_SYNTAX",
  /** The file is TOML, but not a configuration of this program. */
  configInvalid: "CONFIG_INVALID",
  /** A file that must not exist does. */
  configExists: "CONFIG_EXISTS",
  /** A file cannot be written. */
  configUnwritable: "CONFIG_UNWRITABLE",
  /** Another edit of the file is under way. */
  configBusy: "CONFIG_BUSY",
  /** Group or others can read a file that holds a secret, or change one that is believed. */
  secretExposed: "SECRET_EXPOSED",
  /** An identity file is not what `init` writes. */
  identityMalformed: "IDENTITY_MALFORMED",
  /** A pairing line is not what `pair` prints. */
  pairingMalformed: "PAIRING_MALFORMED",
  /** A name, endpoint or option on the command line is not valid. */
  usage: "USAGE",
  /** The peer is admitted already. */
  peerExists: "PEER_EXISTS",
  /** No such peer is admitted. */
  peerUnknown: "PEER_UNKNOWN",
  /** A pairing line would not say where the remote gateway is reached. */
  notAdvertised: "NOT_ADVERTISED",
  /** The status server cannot have its address. */
  statusListen: "STATUS_LISTEN",
  /** Nothing answers at the status server's address, or something else does. */
  statusUnreachable: "STATUS_UNREACHABLE",
  /** The gateway does not do what it was asked for, or not now. */
  statusRefused: "STATUS_REFUSED",
  /** The user called off what was under way. */
  interrupted: "INTERRUPTED",
  /** The service's log is not to be had from here. */
  logsUnavailable: "LOGS_UNAVAILABLE",
  /** The gateway does not make a tunnel to the destination. */
  connectRefused: "CONNECT_REFUSED",
  /** A tunnel ended before its time. */
  connectLost: "CONNECT_LOST",
  /** A listener cannot have its address. */
  listenFailed: "LISTEN_FAILED",
  /** What is to outlive a restart cannot be written. */
  stateUnwritable: "STATE_UNWRITABLE",
  /** The process lacks a capability that its configuration needs. */
  capabilityMissing: "CAPABILITY_MISSING",
  /** The kernel, the architecture or Node is not what the program was written for. */
  platformUnfit: "PLATFORM_UNFIT",
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What the programs exit with. */
export const ExitCode = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The codes whose cause is what the user wrote, not what happened. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  ErrorCode.configUnreadable,
  ErrorCode.configSyntax,
  ErrorCode.configInvalid,
  ErrorCode.configExists,
  ErrorCode.secretExposed,
  ErrorCode.identityMalformed,
  ErrorCode.pairingMalformed,
  ErrorCode.usage,
  ErrorCode.peerExists,
  ErrorCode.peerUnknown,
  ErrorCode.notAdvertised,
]);

/** Its message is written for the user and holds no secret; `runCli` prints it without a stack. */
export class CodedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CodedError";
    this.code = code;
  }

  get exitCode(): ExitCode {
    return USAGE_CODES.has(this.code) ? ExitCode.usage : ExitCode.failed;
  }
}

/** One thing that is wrong with a file. */
export interface Finding {
  /** As the user named the file. */
  readonly file: string;
  /** `path[0].interface`, or `line 3, column 7`; empty when it is about the whole file. */
  readonly key: string;
  /** What is wrong, and the mend where there is one. */
  readonly what: string;
}

/** All that is wrong with a configuration; the message has one line for each finding. */
export class ConfigError extends CodedError {
  readonly findings: readonly Finding[];

  constructor(code: ErrorCode, findings: readonly Finding[], options?: ErrorOptions) {
    super(code, findings.map(formatFinding).join("\n"), options);
    this.name = "ConfigError";
    this.findings = findings;
  }
}

/** For a listener that a configuration file asks for and that cannot be had: the error says in which file. */
export function inFile(file: string, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  if (error.code !== ErrorCode.listenFailed && error.code !== ErrorCode.statusListen) return error;
  return new CodedError(error.code, `${file}: ${error.message}`, { cause: error });
}

/** Loads a file that key `key` of configuration `file` names: what is wrong with it is told there. */
export function atKey<T>(file: string, key: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new ConfigError(error.code, [{ file, key, what: error.message }], { cause: error });
  }
}

/** `FILE: path.to.key: what is wrong` */
export function formatFinding({ file, key, what }: Finding): string {
  return key === "" ? `${file}: ${what}` : `${file}: ${key}: ${what}`;
}

/** `ENOENT` and the like, of an error of a system call. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof CodedError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
