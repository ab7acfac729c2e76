/** Logs: lines of JSON on stderr, readable lines on a terminal. Secrets are taken out of every line. */

import { canonicalIp } from "@hawser/shared-protocol";
import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";
import { CodedError, ErrorCode } from "./config/errors.ts";
import { nearest } from "./config/nearest.ts";
import { type Numbered, Recent } from "./recent.ts";
import { REDACTED, scrubPairings } from "./scrub.ts";

/** Pino's logger: `logger.info({ path }, "joined")`. */
export type Logger = PinoLogger;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** The gateway that logs. */
  readonly role: "local" | "remote";
  /** The program's name. */
  readonly name: string;
  /** Default: the level in HAWSER_LOG_LEVEL, or else "info". */
  readonly level?: LogLevel | undefined;
  /** Gets the lines of JSON instead of stderr. */
  readonly destination?: DestinationStream | undefined;
  /** Keeps the last lines, besides. */
  readonly kept?: Recent<LogLine> | undefined;
}

/** A line of the log that is kept. */
export interface LogLine extends Numbered {
  /** As JSON, without a line break. */
  readonly text: string;
}

/** How many lines are kept for `logs` and the dashboard. A line has some 300 bytes. */
const KEPT_LINES = 1_000;

/** Fields that a child logger adds to each of its lines. */
export interface LogContext {
  readonly peer?: string;
  readonly session?: string;
  readonly path?: string;
  readonly subflow?: number;
  readonly flow?: string | number;
}

/** Values of these keys are never logged, neither at the top level nor up to three levels below it. */
const SECRET_KEYS = ["psk", "key", "secret", "password", "pairing", "token", "users"] as const;

/** @throws CodedError USAGE when HAWSER_LOG_LEVEL is not a level. */
export function createLogger({ role, name, level, destination, kept }: LogOptions): Logger {
  const options: LoggerOptions = {
    level: level ?? levelFromEnvironment(),
    base: { name, role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redactedPaths(), censor: REDACTED },
    serializers: { err: serializeError, error: serializeError, from: serializeSource },
  };
  return pino(options, scrubbing(keeping(destination ?? standardError(), kept)));
}

/** Keeps the last KEPT_LINES lines of a log in memory, for who asks the gateway for them. */
export function keptLog(): Recent<LogLine> {
  return new Recent(KEPT_LINES);
}

/** A logger for one session, path, subflow or flow. */
export function childLogger(logger: Logger, context: LogContext): Logger {
  return logger.child(context);
}

/** @throws CodedError USAGE */
export function levelFromEnvironment(): LogLevel {
  const text = process.env["HAWSER_LOG_LEVEL"];
  if (text === undefined || text === "") return "info";
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase());
  if (level) return level;
  const meant = nearest(text, LOG_LEVELS);
  const mend = meant === undefined ? `use one of ${LOG_LEVELS.join(", ")}` : `did you mean "${meant}"?`;
  throw new CodedError(ErrorCode.usage, `HAWSER_LOG_LEVEL: ${JSON.stringify(text)} is not a level; ${mend}`);
}

/**
 * The address of a client. Node shows an IPv4 client of a dual-stack listener as `::ffff:192.0.2.1`; logs have
 * 192.0.2.1.
 */
function serializeSource(from: unknown): unknown {
  return typeof from === "string" ? canonicalIp(from) : from;
}

/**
 * An error as fields. Its stack is logged at level debug, and for errors without a code: those are faults of the
 * program.
 */
function serializeError(error: unknown): unknown {
  return errorFields(error, process.env["HAWSER_LOG_LEVEL"] !== "debug");
}

/** `isExpected`: this error is the cause of an error with a code. */
function errorFields(error: unknown, hidesStack: boolean, isExpected = false): unknown {
  if (!(error instanceof Error)) return error;
  const hasCode = isExpected || "code" in error;
  const fields: Record<string, unknown> = { type: error.name, message: error.message };
  if ("code" in error) fields["code"] = error.code;
  if (error.cause !== undefined) fields["cause"] = errorFields(error.cause, hidesStack, hasCode);
  if (!hidesStack || !hasCode) fields["stack"] = error.stack;
  return fields;
}

function redactedPaths(): string[] {
  return SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]);
}

/**
 * Writes synchronously, because the last line before a crash is the most useful one. A line that cannot be written (full
 * disk, closed terminal) is lost. The gateway goes on, and later lines are written when that is possible again.
 */
function standardError(): DestinationStream {
  const open = (): ReturnType<typeof pino.destination> =>
    pino.destination({ dest: 2, sync: true }).on("error", () => (stderr = open()));
  let stderr = open();
  if (!process.stderr.isTTY) return { write: (line) => stderr.write(line) };
  const format = prettyLogLine(process.stderr);
  return { write: (line) => stderr.write(format(line)) };
}

/** Makes a log line of JSON readable, with its line break. Other text stays as it is. */
export function prettyLogLine({ isTTY }: { readonly isTTY?: boolean }): (line: string) => string {
  return pretty.prettyFactory({
    colorize: isTTY === true && pretty.isColorSupported,
    ignore: "name,role,pid",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
}

function scrubbing(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(scrubPairings(line)) };
}

function keeping(destination: DestinationStream, kept: Recent<LogLine> | undefined): DestinationStream {
  if (!kept) return destination;
  return {
    write(line) {
      destination.write(line);
      kept.push((id) => ({ id, text: line.trimEnd() }));
    },
  };
}
