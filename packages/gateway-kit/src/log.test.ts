import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { afterEach, test } from "node:test";
import { formatPairing, generateSecret, Secret } from "@hawser/shared-protocol";
import { CodedError, ConfigError, ErrorCode } from "./config/errors.ts";
import { childLogger, createLogger, keptLog } from "./log.ts";

function logged() {
  const lines: string[] = [];
  const kept = keptLog();
  const logger = createLogger({
    role: "local",
    name: "hawser-local",
    level: "trace",
    destination: { write: (line) => void lines.push(line) },
    kept,
  });
  return { logger, lines, kept, last: () => JSON.parse(lines.at(-1) ?? "") as Record<string, unknown> };
}

afterEach(() => {
  delete process.env["HAWSER_LOG_LEVEL"];
});

test("a line says when, who, and in which session", () => {
  const { logger, last } = logged();
  childLogger(logger, { session: "5f", path: "adsl1" }).info({ rttMs: 23 }, "path is up");
  const line = last();
  assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    { ...line, time: 0, pid: 0 },
    {
      level: "info",
      time: 0,
      name: "hawser-local",
      role: "local",
      pid: 0,
      session: "5f",
      path: "adsl1",
      rttMs: 23,
      msg: "path is up",
    },
  );
});

test("secrets do not get into the log, whatever they are wrapped in", () => {
  const { logger, lines, kept } = logged();
  const psk = generateSecret();
  const text = psk.revealBase64url();
  const line = formatPairing({ name: "home", psk, endpoints: [{ host: "203.0.113.7", port: 4433 }] });
  logger.info({ psk, peer: { name: "home", psk: text }, config: { peer: [{ key: text }] } });
  logger.info({ key: text, secret: text, password: text, pairing: line, token: text });
  logger.info({ socks: { users: { alice: text } }, remote: line });
  logger.info(`remote = "${line}"`);
  logger.error({ err: new Error(`cannot parse ${line}`, { cause: new Error(line) }) }, line);
  childLogger(logger, { session: line }).info({ deep: { a: { b: { c: { d: psk } } } } });
  childLogger(logger.child({ psk: text }), {}).info({ password: Secret.fromText(text) });
  assert.deepEqual(
    kept.since().map(({ text: line }) => `${line}\n`),
    lines,
  );
  assert.equal(lines.length, 7);
  assert.equal(
    lines.find((logLine) => logLine.includes(text)),
    undefined,
  );
  assert.ok(lines[4]?.includes("hawser://home:[redacted]@203.0.113.7:4433"));
});

test("errors keep their code and cause", () => {
  const { logger, last } = logged();
  logger.error({ err: Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" }) });
  assert.deepEqual(last()["err"], { type: "Error", message: "connect failed", code: "ECONNREFUSED" });
  const cause = new ConfigError(ErrorCode.configInvalid, [{ file: "a.toml", key: "b", what: "is required" }]);
  logger.error({ err: new CodedError(ErrorCode.usage, "no", { cause }) });
  assert.deepEqual(last()["err"], {
    type: "CodedError",
    message: "no",
    code: "USAGE",
    cause: { type: "ConfigError", message: "a.toml: b: is required", code: "CONFIG_INVALID" },
  });
});

test("a stack is there for what nobody expected, and not in the cause of what somebody did", () => {
  const { logger, last } = logged();
  logger.error({ err: new Error("a fault") });
  assert.ok("stack" in (last()["err"] as object));
  logger.error({ err: new CodedError(ErrorCode.usage, "no", { cause: new Error("why") }) });
  const { cause } = last()["err"] as { cause: object };
  assert.deepEqual(cause, { type: "Error", message: "why" });
});

test("who connected over IPv4 is told as IPv4 has it", () => {
  const { logger, last } = logged();
  logger.info({ from: "::ffff:192.0.2.1" });
  assert.equal(last()["from"], "192.0.2.1");
});

test("the level comes from the option, then from the environment", () => {
  process.env["HAWSER_LOG_LEVEL"] = "warn";
  assert.equal(createLogger({ role: "local", name: "x" }).level, "warn");
  assert.equal(createLogger({ role: "local", name: "x", level: "debug" }).level, "debug");
  process.env["HAWSER_LOG_LEVEL"] = "wran";
  assert.throws(
    () => createLogger({ role: "local", name: "x" }),
    (error) =>
      error instanceof CodedError &&
      error.message === 'HAWSER_LOG_LEVEL: "wran" is not a level; did you mean "warn"?' &&
      error.exitCode === 2,
  );
});

test("a log that cannot be written costs its lines, not the program", () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL("log.ts", import.meta.url))};
    const logger = createLogger({ role: "local", name: "x" });
    logger.info("no room");
    logger.info("still none");
    console.log("goes on");`;
  const full = openSync("/dev/full", "w");
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", full],
    encoding: "utf8",
  });
  closeSync(full);
  assert.deepEqual([status, stdout], [0, "goes on\n"]);
});
