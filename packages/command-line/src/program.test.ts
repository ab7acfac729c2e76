import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, mock, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { ConfigError, ErrorCode, readVersion } from "@hawser/gateway-kit/config";
import { createStatusServer, EventLog } from "@hawser/status-api";
import { GatewayApi } from "@hawser/status-api/client";
import type { StatusReport } from "@hawser/status-api/model";
import { statusUrl } from "@hawser/status-api/testing";
import type { Command } from "commander";
import { collect, endpointArgument, listenArgument } from "./arguments.ts";
import { addCheckCommand, createProgram } from "./program.ts";
import { runCli } from "./run-cli.ts";
import { statusCommand } from "./status-command.ts";
import { addStatusCommand } from "./view-commands.ts";

let out = "";
let err = "";

beforeEach(() => {
  out = err = "";
  const write = process.stdout.write.bind(process.stdout);
  // The test runner reports over stdout, in buffers.
  mock.method(process.stdout, "write", (text: string | Uint8Array) => {
    if (typeof text !== "string") return write(text);
    out += text;
    return true;
  });
  mock.method(process.stderr, "write", (text: string) => {
    err += text;
    return true;
  });
});
afterEach(() => {
  mock.restoreAll();
  process.exitCode = 0;
  delete process.env["HAWSER_LOG_LEVEL"];
});

const REPORT: StatusReport = {
  role: "local",
  version: "0.1.0",
  uptimeSeconds: 1,
  session: {
    peer: "home",
    state: "connecting",
    flows: { open: 0, total: 0, failed: 0 },
    bytes: { sent: 0, received: 0, reinjected: 0 },
    paths: [],
  },
};
const source = { events: new EventLog(), status: () => REPORT, flows: () => [] };

function program(action: () => unknown = () => {}): Command {
  const made = createProgram("hawser-test", "1.2.3", "tests");
  made
    .command("go")
    .option("--listen <address>", "where", listenArgument)
    .option("--advertise <address>", "where else", collect(endpointArgument))
    .action(async (options: unknown) => {
      out += JSON.stringify(options);
      await action();
    });
  addCheckCommand(made, action);
  return made;
}

function run(made: Command, ...words: string[]): Promise<number> {
  return runCli(made, ["node", "hawser-test", ...words]);
}

test("exit 0: what works, help and version", async () => {
  assert.equal(
    await run(program(), "go", "--listen", "[::]:0", "--advertise", "a:1", "--advertise", "b:2"),
    0,
  );
  assert.deepEqual(JSON.parse(out), {
    listen: { host: "::", port: 0 },
    advertise: [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
    ],
  });
  for (const words of [["--version"], ["--help"], ["go", "--help"], ["help"]]) {
    assert.equal(await run(program(), ...words), 0, words.join(" "));
  }
  assert.match(out, /1\.2\.3\n/);
  assert.equal(err, "");
  assert.equal(await run(program(), "check", "-c", "x.toml"), 0);
  assert.match(out, /x\.toml: ok\n$/);
  assert.equal(await run(program(), "check"), 0);
  assert.match(out, /\/etc\/hawser\/test\.toml: ok\n$/);
});

test("exit 2: wrong usage, told in a line", async () => {
  const golden: [string[], RegExp][] = [
    [["og"], /^error: unknown command 'og'\n\(Did you mean go\?\)/],
    [["go", "--lisen"], /unknown option '--lisen'/],
    [["go", "x"], /too many arguments.*\n\(hawser-test go --help explains it\)\n/],
    [["go", "--listen", "80"], /"80" is not HOST:PORT/],
    [[], /Usage: hawser-test/],
  ];
  for (const [words, message] of golden) {
    err = "";
    assert.equal(await run(program(), ...words), 2, words.join(" "));
    assert.match(err, message);
    assert.equal(process.exitCode, 2);
  }
});

test("exit 2: a wrong configuration, one line for each finding and nothing else", async () => {
  const failing = program(() => {
    throw new ConfigError(ErrorCode.configInvalid, [
      { file: "a.toml", key: "b", what: "is required" },
      { file: "a.toml", key: "", what: "is old" },
    ]);
  });
  assert.equal(await run(failing, "check", "-c", "a.toml"), 2);
  assert.equal(err, "a.toml: b: is required\na.toml: is old\n");
});

test("exit 1: a failure, without a stack and without secrets", async () => {
  const failing = program(() => Promise.reject(new Error("no hawser://home:SECRET@h:1")));
  assert.equal(await run(failing, "go"), 1);
  assert.equal(
    err,
    "hawser-test: Error: no hawser://home:[redacted]@h:1 (a fault of this program; HAWSER_LOG_LEVEL=debug shows where)\n",
  );
  err = "";
  const system = Object.assign(new Error("bind EACCES 0.0.0.0:80"), { code: "EACCES" });
  assert.equal(
    await run(
      program(() => Promise.reject(system)),
      "go",
    ),
    1,
  );
  assert.equal(err, "hawser-test: bind EACCES 0.0.0.0:80\n");
  process.env["HAWSER_LOG_LEVEL"] = "debug";
  await run(
    program(() => Promise.reject(system)),
    "go",
  );
  assert.match(err, /\n {4}at /);
});

test("the version is that of the nearest package", () => {
  assert.match(readVersion(import.meta.url), /^\d+\.\d+\.\d+$/);
  assert.equal(readVersion("file:///nowhere/x.js"), "unknown");
});

test("status asks the running gateway", async () => {
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const listen = { host: "127.0.0.1", port: 0 };
  const server = await createStatusServer(source, { listen, logger });
  const made = createProgram("hawser-test", "1.2.3", "tests");
  addStatusCommand(made, async () => ({ listen: server.address, token: undefined }));
  try {
    assert.equal(await run(made, "status", "-c", "x"), 0);
    assert.match(out, /^hawser-local 0\.1\.0, up 1 s\n\nhome: connecting, 0 flows open/);
    out = "";
    assert.equal(await run(made, "status", "-c", "x", "--json"), 0);
    assert.deepEqual(JSON.parse(out), REPORT);
  } finally {
    await server.close();
  }
  assert.equal(await run(made, "status", "-c", "x"), 1);
  assert.equal(
    err,
    `127.0.0.1:${server.address.port}: nothing listens there; is the gateway running? (status.listen in its file says where)\n`,
  );
});

test("status of something else", async () => {
  const other = createServer((_, response) => void response.end('{"role":"other"}')).listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  try {
    await assert.rejects(
      statusCommand(new GatewayApi({ listen: { host: "127.0.0.1", port }, token: undefined })),
      {
        code: "STATUS_UNREACHABLE",
        message: /what answers is not a hawser gateway/,
      },
    );
  } finally {
    other.close();
  }
});

test("watching redraws on a terminal, survives the gateway's restart, and ends when told", async () => {
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const listen = { host: "127.0.0.1", port: 0 };
  const server = await createStatusServer(source, { listen, logger });
  const stop = new AbortController();
  const frames: string[] = [];
  const write = (text: string): void => {
    frames.push(text);
    const drawn = frames.filter((frame) => frame.includes("hawser-local")).length;
    if (drawn === 1) void server.close();
    if (drawn === 2) stop.abort();
  };
  const api = new GatewayApi({ listen: server.address, token: undefined });
  await statusCommand(api, { watch: true, signal: stop.signal, stdout: { isTTY: true, write } });
  const drawn = frames.filter((frame) => frame.includes("hawser-local"));
  assert.match(drawn[0] ?? "", /home/);
  assert.match(drawn[1] ?? "", /nothing listens there/);
  assert.equal(drawn.length, 2);
  assert.ok(frames.at(-1)?.endsWith("\x1b[?1049l"));
});

test("the status server of every address is asked on loopback", () => {
  assert.equal(statusUrl({ host: "0.0.0.0", port: 8080 }), "http://127.0.0.1:8080");
  assert.equal(statusUrl({ host: "::", port: 8080 }), "http://[::1]:8080");
  assert.equal(statusUrl({ host: "192.0.2.1", port: 1 }), "http://192.0.2.1:1");
});
