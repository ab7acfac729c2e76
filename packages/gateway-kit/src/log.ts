/** Logs: JSON lines on stderr, pretty ones on a terminal. Secrets do not get into them, whoever logs what. */

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
  /** Which gateway speaks. */
  readonly role: "local" | "remote";
  /** The program's name. */
  readonly name: string;
  /** Without it HAWSER_LOG_LEVEL decides, and without that "info". */
  readonly level?: LogLevel | undefined;
  /** Where lines of JSON go instead of stderr. */
  readonly destination?: DestinationStream | undefined;
  /** Gets every line, too. */
  readonly kept?: Recent<LogLine> | undefined;
}

/** A line of the log that is kept. */
export interface LogLine extends Numbered {
  /** As JSON, without a line break. */
  readonly text: string;
}

/** Lines kept for those who ask the gateway for its log, some 300 bytes each. */
const KEPT_LINES = 1_000;

/** What a child logger says with every line. */
export interface LogContext {
  readonly peer?: string;
  readonly session?: string;
  readonly path?: string;
  readonly subflow?: number;
  readonly flow?: string | number;
}

/** Values of these keys are never logged, on the top level or up to three deeper. */
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

/** Who connected: an IPv4 client of a dual-stack listener shows as `::ffff:192.0.2.1`. */
function serializeSource(from: unknown): unknown {
  return typeof from === "string" ? canonicalIp(from) : from;
}

/** An error as fields. Stacks are for those who debug, and of errors without a code: nobody expected them. */
function serializeError(error: unknown): unknown {
  return errorFields(error, process.env["HAWSER_LOG_LEVEL"] !== "debug");
}

/** `isExpected`: the error that this one caused has a code. */
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
 * Written synchronously: the last line before a crash is the one that is needed. What cannot be written (the disk is
 * full, the terminal gone) is lost; the gateway goes on, and its log with the first line that can be.
 */
function standardError(): DestinationStream {
  const open = (): ReturnType<typeof pino.destination> =>
    pino.destination({ dest: 2, sync: true }).on("error", () => (stderr = open()));
  let stderr = open();
  if (!process.stderr.isTTY) return { write: (line) => stderr.write(line) };
  const format = prettyLogLine(process.stderr);
  return { write: (line) => stderr.write(format(line)) };
}

/** For a line of a log, as JSON, gives it as people read it, with its line break; what is no such line stays as it is. */
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
