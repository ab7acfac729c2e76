import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import type { FlowStatus, GatewayEvent } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, type Gateway, Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, ORIGIN_PORT, startOrigin, upload } from "../lab/traffic/run.ts";
import { ask, connectFrom, type Listener, listenIn, pair, Reader } from "./sockets.ts";
import { pairingSecret, programFile, reload, runProgram, TWO_QUICK_LINES } from "./support.ts";

const FORWARD_PORT = 8022;
const MB = 1_000_000;

describe("what the gateways say of themselves", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let listener: Listener;
  before(async () => {
    house = await House.create({
      lines: TWO_QUICK_LINES,
    });
    await startOrigin(house.origin);
    listener = await listenIn(house.origin);
    const to = `${house.addresses.origin.v4}:${ORIGIN_PORT}`;
    hawser = await Hawser.start(house, {
      extra: `[[forward]]\nlisten = "127.0.0.1:${FORWARD_PORT}"\nto = "${to}"\n`,
    });
  });
  after(() => tearDown(hawser, house));

  /** The samples of `GET /metrics`, by name and labels. */
  async function metricsOf(gateway: Gateway): Promise<Map<string, number>> {
    const [code, text] = await gateway.answer("/metrics");
    assert.equal(code, 200);
    const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      samples.map((line) => {
        const [, name, value] = /^([a-z_\d]+(?:\{.*\})?) ([-+.\deInfNa]+)$/.exec(line) ?? [];
        assert.ok(name !== undefined && value !== undefined, line);
        return [name, Number(value)];
      }),
    );
  }

  test("bytes, flows and shares are what was carried", async () => {
    const before = await hawser.status();
    const target = { host: house.addresses.origin.v4, port: ORIGIN_PORT };
    assert.equal((await download(house.lan, { ...target, bytes: 10 * MB })).error, null);
    assert.equal((await upload(house.lan, { ...target, bytes: 5 * MB })).error, null);
    await until(async () => (await hawser.status()).session.flows.open === 0);
    const [local, remote] = [(await hawser.status()).session, (await hawser.remoteStatus()).sessions[0]];
    assert.ok(remote);
    assert.equal(local.flows.total - before.session.flows.total, 2);
    const near = (value: number, wanted: number): void =>
      assert.ok(value >= wanted && value < wanted * 1.05 + 10_000, `${value}, not ${wanted}`);
    near(local.bytes.received - before.session.bytes.received, 10 * MB);
    near(local.bytes.sent - before.session.bytes.sent, 5 * MB);
    near(remote.bytes.sent, 10 * MB);
    near(remote.bytes.received, 5 * MB);
    for (const { peer, state, paths } of [local, remote]) {
      assert.deepEqual([peer, state, paths.length], ["home", "up", 2]);
      const carried = paths.map(({ sentBytes, receivedBytes }) => sentBytes + receivedBytes);
      // Of two lines with the same rate, each carries its part.
      for (const bytes of carried) assert.ok(bytes > 0.25 * 15 * MB, carried.join(" "));
      near((carried[0] as number) + (carried[1] as number), 15 * MB);
      for (const path of paths) {
        assert.deepEqual([path.state, path.role, path.subflows, path.lastError], ["up", "active", 1, null]);
        assert.ok(path.minRttMs !== null && path.minRttMs > 9 && path.minRttMs < 40, `${path.minRttMs} ms`);
      }
    }
  });

  test("open flows are listed with kind, ends and bytes", async () => {
    const origin = house.addresses.origin.v4;
    const redirected = await pair(house.lan, { host: origin, port: listener.port }, listener);
    const socks = connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: SOCKS_PORT });
    const request = [
      5,
      1,
      0,
      5,
      1,
      0,
      1,
      ...origin.split(".").map(Number),
      listener.port >> 8,
      listener.port & 255,
    ];
    socks.write(Buffer.from(request));
    const behindSocks = await listener.accept();
    const reader = new Reader(redirected.client);
    redirected.client.write(Buffer.alloc(10_000));
    redirected.server.write(Buffer.alloc(30_000));
    await reader.bytes(30_000);
    const seen = async (gateway: Gateway): Promise<FlowStatus[]> =>
      (await gateway.get("/api/flows")) as FlowStatus[];
    await until(async () =>
      (await seen(hawser.local)).every(({ kind, sentBytes }) => kind !== "redirect" || sentBytes === 10_000),
    );
    for (const gateway of [hawser.local, hawser.remote]) {
      const flows = await seen(gateway);
      assert.deepEqual(flows.map(({ kind }) => kind).toSorted(), ["redirect", "socks"]);
      const flow = flows.find(({ kind }) => kind === "redirect") as FlowStatus;
      assert.equal(flow.from, `192.168.77.2:${redirected.client.localPort}`);
      assert.equal(flow.to, `${origin}:${listener.port}`);
      assert.deepEqual([flow.sentBytes, flow.receivedBytes], [10_000, 30_000]);
      assert.equal(
        flow.paths.reduce((sum, share) => sum + share.receivedBytes, 0),
        30_000,
      );
      assert.ok(flow.ageSeconds >= 0 && flow.ageSeconds < 30);
    }
    assert.equal((await hawser.status()).session.flows.open, 2);
    for (const socket of [redirected.client, redirected.server, socks, behindSocks]) socket.destroy();
    await until(async () => (await hawser.flows()).length === 0);
  });

  test("a path is disabled and brought back while running; health and metrics follow", async () => {
    const setRole = async (path: string, role: string): Promise<number> => {
      const json = ["-X", "PATCH", "-H", "content-type: application/json", "-d", JSON.stringify({ role })];
      return (await hawser.local.answer(`/api/paths/${path}`, json))[0];
    };
    const carried = async (): Promise<number> => (await house.line("adsl1").counters()).down.deliveredBytes;
    assert.equal(await setRole("adsl1", "disabled"), 200);
    await hawser.whenPaths((states) => states.join() === "disabled,up");
    const before = await carried();
    const target = { host: house.addresses.origin.v6, port: ORIGIN_PORT, bytes: 3 * MB };
    assert.equal((await download(house.lan, target)).error, null);
    assert.ok((await carried()) - before < 10_000);
    assert.equal((await hawser.local.answer("/healthz"))[0], 200);

    await setRole("adsl2", "disabled");
    await hawser.whenPaths((states) => states.join() === "disabled,disabled");
    assert.equal((await hawser.local.answer("/healthz"))[0], 503);
    await until(async () => (await hawser.remote.answer("/healthz"))[0] === 503);
    const isUp = /^hawser_path_state\{.*state="(up|probation)"/;
    const upOf = (metrics: Map<string, number>): string[] =>
      [...metrics].filter(([name, value]) => value === 1 && isUp.test(name)).map(([name]) => name);
    assert.deepEqual(upOf(await metricsOf(hawser.local)), []);

    for (const path of ["adsl1", "adsl2"]) assert.equal(await setRole(path, "active"), 200);
    await hawser.whenPaths((states) => states.join() === "up,up");
    assert.equal((await hawser.local.answer("/healthz"))[0], 200);
    assert.equal(upOf(await metricsOf(hawser.local)).length, 2);
    await until(async () => upOf(await metricsOf(hawser.remote)).length === 2);
    assert.equal(await setRole("nowhere", "active"), 404);
    assert.equal(await setRole("adsl1", "fast"), 400);
    const [code] = await hawser.remote.answer("/api/paths/adsl1", ["-X", "PATCH", "-d", "{}"]);
    assert.ok(code >= 400 && code < 500, `${code}`);
  });

  test("a disabled path is disabled at both ends, and neither end takes it for a fault", async () => {
    const events = async (gateway: Gateway): Promise<GatewayEvent[]> =>
      (await gateway.get("/api/events")) as GatewayEvent[];
    const atRemote = (state: string): Promise<void> =>
      until(async () => {
        const paths = (await hawser.remoteStatus()).sessions[0]?.paths ?? [];
        return paths.find(({ name }) => name === "adsl2")?.state === state;
      });
    // With this delay the frames over the other line come before the frames over this line.
    await house.line("adsl2").set({ delayMs: 40 });
    const before = [await events(hawser.local), await events(hawser.remote)].map(({ length }) => length);
    await hawser.runLocal(["path", "adsl2", "disabled"]);
    await atRemote("disabled");
    await hawser.runLocal(["path", "adsl2", "active"]);
    await hawser.whenPaths((states) => states.join() === "up,up");
    await atRemote("up");
    for (const [index, gateway] of [hawser.local, hawser.remote].entries()) {
      const types = (await events(gateway)).slice(before[index]).map(({ type }) => type);
      assert.deepEqual(types, ["path-role", "path-role", "path-back"]);
    }
    await house.line("adsl2").set({ delayMs: 5 });
  });

  test("both gateways serve their pages", async () => {
    for (const gateway of [hawser.local, hawser.remote]) {
      for (const path of ["/", "/docs"]) {
        const [code, text] = await gateway.answer(path);
        assert.equal(code, 200);
        assert.match(text, /^<!doctype html>/i);
      }
      assert.equal((await gateway.answer("/nowhere"))[0], 404);
    }
  });

  test("status, as a table that fits a terminal and as JSON", async () => {
    const table = (await hawser.runLocal(["status"])).stdout;
    assert.match(table, /^home: up, /m);
    assert.match(table, /^adsl1 +(up|probation) +active /m);
    for (const line of table.split("\n")) assert.ok(line.length <= 80, line);
    const json = JSON.parse((await hawser.runLocal(["status", "--json"])).stdout) as { role: string };
    assert.equal(json.role, "local");
    const remote = await runProgram(house.remote, "hawser-remote", [
      "status",
      "-c",
      hawser.file("remote.toml"),
    ]);
    assert.match(remote.stdout, /^adsl2 +(up|probation) +active /m);
  });

  test("check says ok", async () => {
    assert.match((await hawser.runLocal(["check"])).stdout, /local\.toml: ok\n$/);
    const remote = await runProgram(house.remote, "hawser-remote", [
      "check",
      "-c",
      hawser.file("remote.toml"),
    ]);
    assert.deepEqual([remote.code, remote.stderr], [0, ""]);
  });

  test("doctor finds nothing when all is well, and finds a fault when there is one", async () => {
    const config = ["-c", hawser.file("local.toml")];
    const strangers = (): string[] =>
      hawser.remote
        .logText()
        .split("\n")
        .filter((line) => line.includes("was not let in"));
    const before = strangers();
    const well = await runProgram(house.router, "hawser-local", ["doctor", "--json", ...config]);
    assert.equal(well.code, 0, well.stdout);
    assert.deepEqual(strangers(), before);
    const findings = JSON.parse(well.stdout) as { level: string; subject: string }[];
    assert.ok(findings.every(({ level }) => level !== "bad"));
    assert.ok(findings.some(({ subject }) => subject === "redirect rules for IPv4"));
    // A gateway that keeps the rules itself would put them back.
    const own = readFileSync(hawser.file("local.toml"), "utf8");
    await reload(hawser, (text) => text.replace("[capture]", "[capture]\nrules = false"));
    await house.line("adsl2").set({ blackhole: true });
    const ill = await runProgram(house.router, "hawser-local", ["doctor", ...config]);
    await house.line("adsl2").set({ blackhole: false });
    await reload(hawser, () => own);
    await hawser.whenPaths((states) => states.join() === "up,up");
    assert.equal(ill.code, 1);
    assert.match(ill.stdout, /^ok {3}path adsl1: remote/m);
    assert.match(ill.stdout, /^BAD {2}path adsl2: remote .*\n +-> /m);
    assert.match(ill.stdout, /^BAD {2}redirect rules for IPv4: .*\n +-> .*rules apply/m);
  });

  test("connect joins stdin and stdout to a destination; the end of either is a half-close", async () => {
    const { v4 } = house.addresses.origin;
    const run = (args: readonly string[], input = ""): ReturnType<typeof runProgram> =>
      runProgram(house.router, "hawser-local", ["connect", "-c", hawser.file("local.toml"), ...args], input);
    const sent = "x".repeat(2 * MB);
    const put = await run([v4, String(ORIGIN_PORT)], `PUT\n${sent}`);
    assert.match(put.stdout, new RegExp(`^[0-9a-f]{64} ${2 * MB}\n$`));
    assert.deepEqual([put.code, put.stderr], [0, ""]);
    const got = await run([v4, String(ORIGIN_PORT)], `GET ${2 * MB}\n`);
    assert.equal(got.stdout.length, 2 * MB);
    const refused = await run([v4, "1"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^198\.51\.100\.10:1: .*refused.*\n$/);
    const reset = await run([v4, String(ORIGIN_PORT)], "RST\n");
    assert.deepEqual([reset.code, reset.stderr], [1, `${v4}:${ORIGIN_PORT}: the connection was reset\n`]);
  });

  test("connect closes stdout when the far end has ended, and goes on sending", async () => {
    const port = 7_777;
    // Ends its side at once, then counts the bytes that still come and prints their number.
    const script = `require("net").createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.end("bye").on("data", (data) => (bytes += data.length)).on("end", () => console.log(bytes));
    }).listen(${port}, () => console.log("ready"))`;
    const server = house.origin.spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(server.stdout as Readable)[Symbol.asyncIterator]();
    await lines.next();
    const args = ["connect", "-c", hawser.file("local.toml"), house.addresses.origin.v4, String(port)];
    const child = house.router.spawn(process.execPath, [programFile("hawser-local"), ...args]);
    const exited = once(child, "exit");
    child.stdin?.write("x");
    const [answer] = (await once(child.stdout as Readable, "data")) as [Buffer];
    await once(child.stdout as Readable, "end");
    child.stdin?.end(Buffer.alloc(5_000_000));
    assert.deepEqual(
      [String(answer), (await lines.next()).value, await exited],
      ["bye", "5000001", [0, null]],
    );
    server.kill();
  });

  test("a forward carries to its destination", async () => {
    const answer = await ask(house.router, { host: "127.0.0.1", port: FORWARD_PORT }, "WHO\n");
    assert.match(answer, /^::ffff:198\.51\.100\.1 /);
  });

  test("logs prints the running gateways' logs, unchanged or readable", async () => {
    const { stdout } = await hawser.runLocal(["logs", "--json"]);
    assert.ok(stdout.split("\n").length > 10);
    assert.ok(hawser.local.logText().includes(stdout));
    const [last] = ((await hawser.remote.get("/api/logs?lines=1")) as { msg: string }[]).slice(-1);
    assert.ok(hawser.remote.logText().includes(JSON.stringify(last)));
    const readable = /^\[\d\d:\d\d:\d\d\.\d{3}\] [A-Z]+: .+\n$/;
    assert.match((await hawser.runLocal(["logs", "--lines", "1"])).stdout, readable);
  });

  test("logs are JSON, say which session, path and peer they speak of, and hold no secret", async () => {
    const secrets = [
      pairingSecret(readFileSync(hawser.file("pairing.txt"), "utf8")),
      /key = "(.+)"/.exec(readFileSync(hawser.file("peers/home.toml"), "utf8"))?.[1] as string,
      readFileSync(hawser.file("identity.pem"), "utf8").split("\n")[1] as string,
    ];
    await new Reader(
      connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: CAPTURE_PORT }),
    ).error();
    for (const [gateway, role] of [
      [hawser.local, "local"],
      [hawser.remote, "remote"],
    ] as const) {
      const text = gateway.logText();
      for (const secret of secrets) {
        assert.ok(secret.length >= 40);
        assert.ok(!text.includes(secret));
      }
      const lines = text
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
      for (const line of lines) {
        assert.ok(typeof line["time"] === "string" && typeof line["msg"] === "string");
        assert.deepEqual([line["name"], line["role"]], [`hawser-${role}`, role]);
      }
      const changes = lines.filter(({ msg }) => msg === "subflow changed");
      assert.ok(changes.length > 0);
      for (const { path, subflow, session } of changes) {
        assert.match(String(path), /^adsl[12]$/);
        assert.equal(typeof subflow, "number");
        assert.match(String(session), /^[0-9a-f]{8}$/, role);
        if (role === "remote") assert.ok(changes.every(({ peer }) => peer === "home"));
      }
    }
  });
});
