/** The commands for daily use, against running gateways: drill, speedtest, path, flows, events, completion, watching. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import type { DrillReport, FlowStatus, GatewayEvent, SpeedResult } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { type RunningOrigin, start, startOrigin } from "../lab/traffic/run.ts";
import { type ProgramResult, programFile, runProgram } from "./support.ts";

const LINES = [
  { name: "adsl1", down: 12e6, up: 2e6, delayMs: 12, queueMs: 150 },
  { name: "adsl2", down: 6e6, up: 1e6, delayMs: 20, queueMs: 150 },
] as const;
/** The share of a line's rate that is left for payload. */
const PAYLOAD = 0.95;

suite("daily use", { skip: labMissing() ?? false }, () => {
  let house: House;
  let hawser: Hawser;
  let origin: RunningOrigin;

  before(async () => {
    house = await House.create({ lines: LINES });
    origin = await startOrigin(house.origin);
    hawser = await Hawser.start(house);
  });

  after(() => tearDown(hawser, house));

  const run = (...words: string[]): Promise<ProgramResult> =>
    runProgram(house.router, "hawser-local", [...words, "-c", hawser.file("local.toml")]);

  async function json<T>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await run(...words, "--json");
    assert.equal(code, 0, stderr + stdout);
    return JSON.parse(stdout) as T;
  }

  const download = (seconds: number) =>
    start(house.lan, { op: "download", host: house.addresses.origin.v4, port: origin.port, seconds });

  test("a drill under load: no flow lost, no gap of a second, the line back at work; flows and events tell", async (t) => {
    const running = download(6);
    await until(async () =>
      (await json<FlowStatus[]>("flows")).some(({ receivedBytes }) => receivedBytes > 1e6),
    );
    const [flow] = await json<FlowStatus[]>("flows", "--sort", "receivedBytes", "--limit", "1");
    assert.equal(flow?.to, `${house.addresses.origin.v4}:${origin.port}`);
    const report = await json<DrillReport>("drill", "adsl1", "--for", "1s");
    t.diagnostic(JSON.stringify(report));
    assert.deepEqual([report.flows.open, report.flows.failed], [1, 0]);
    assert.ok(report.longestGapMs !== null && report.longestGapMs < 1_000, `${report.longestGapMs} ms`);
    assert.ok(report.backAfterMs !== null && report.backAfterMs < 3_000, `${report.backAfterMs} ms`);
    assert.ok(Math.abs(report.seconds - 1) < 0.3, `${report.seconds} s`);
    assert.ok(report.bytes.received > (0.5 * PAYLOAD * 6e6) / 8, `${report.bytes.received} bytes`);
    const { error } = await running.result;
    assert.equal(error, null);
    const events = await json<GatewayEvent[]>("events");
    const types = events.filter(({ path }) => path === "adsl1").map(({ type }) => type);
    assert.ok(
      types.indexOf("path-down") >= 0 && types.lastIndexOf("path-back") > types.indexOf("path-down"),
      types.join(" "),
    );
    assert.match((await run("events")).stdout, /path-down +home\/adsl1: .*drill/);
  });

  test("a speed test measures each line and their sum, both ways, and stays within its bytes", async (t) => {
    const results = await json<SpeedResult[]>("speedtest", "--for", "2s");
    t.diagnostic(JSON.stringify(results));
    assert.deepEqual(
      results.map(({ name }) => name),
      ["adsl1", "adsl2", null],
    );
    const sum = { down: 18e6, up: 3e6 };
    for (const [i, { down, up }] of [...LINES, sum].entries()) {
      const { downBps, upBps, latencyMs, error } = results[i] as SpeedResult;
      assert.equal(error, null);
      assert.ok(Math.abs((downBps ?? 0) / (PAYLOAD * down) - 1) < 0.15, `${downBps} of ${down} bit/s down`);
      assert.ok(Math.abs((upBps ?? 0) / (PAYLOAD * up) - 1) < 0.15, `${upBps} of ${up} bit/s up`);
      assert.ok(latencyMs !== null && latencyMs > 20 && latencyMs < 100, `${latencyMs} ms`);
    }
    const before = (await house.line("adsl2").counters()).down.deliveredBytes;
    await json("speedtest", "adsl2", "--for", "5s", "--bytes", "200kB");
    const cost = (await house.line("adsl2").counters()).down.deliveredBytes - before;
    assert.ok(cost > 200e3 && cost < 700e3, `${cost} bytes`);
  });

  test("an impossible trial exits with 1 and a reason; one trial runs at a time; Ctrl-C puts a line back", async () => {
    const child = house.router.spawn(process.execPath, [
      programFile("hawser-local"),
      "drill",
      "adsl1",
      "--for",
      "60s",
      "-c",
      hawser.file("local.toml"),
    ]);
    await until(async () => (await hawser.status()).session.paths[0]?.state === "down");
    for (const [words, why] of [
      [["drill", "adsl1"], /adsl1 is down already/],
      [["drill", "adsl2"], /adsl2 is the only line that is up/],
      [["speedtest"], /a drill is running/],
      [["drill", "adsl9"], /there is no path "adsl9"/],
    ] as const) {
      const { code, stderr } = await run(...words);
      assert.equal(code, 1, words.join(" "));
      assert.match(stderr, why);
    }
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 1);
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
  });

  test("a role is changed by `path`, and seen by `status`", async () => {
    assert.equal((await run("path", "adsl2", "backup")).stdout, "adsl2: backup\n");
    assert.match((await run("status")).stdout, /adsl2 +up +backup/);
    assert.equal((await run("path", "adsl2", "active")).code, 0);
    assert.equal((await run("path", "adsl2", "spare")).code, 2);
  });

  test("watching on a terminal fills the alternate screen, and q gives the terminal back", async () => {
    const command = `'${process.execPath}' '${programFile("hawser-local")}' status --watch -c '${hawser.file("local.toml")}'`;
    const child = house.router.spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...process.env, TERM: "xterm", LANG: "C.UTF-8" },
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    await until(async () => text.split("adsl1").length > 2);
    child.stdin?.write("q");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0);
    assert.ok(
      text.includes("\x1b[?1049h") && text.trimEnd().endsWith("\x1b[?1049l"),
      JSON.stringify(text.slice(-80)),
    );
  });

  test("bash completes the names of lines from the configuration", async () => {
    const { stdout } = await run0("completion", "bash");
    const asked = `
hawser-local() { '${process.execPath}' '${programFile("hawser-local")}' "$@"; }
COMP_WORDS=(hawser-local drill -c '${hawser.file("local.toml")}' ''); COMP_CWORD=4
_hawser_local; echo "\${COMPREPLY[@]}"`;
    const offered = await house.router.exec("bash", ["-c", stdout + asked]);
    assert.equal(offered.stdout, "adsl1 adsl2\n");
  });

  const run0 = (...words: string[]): Promise<ProgramResult> =>
    runProgram(house.router, "hawser-local", words);
});
