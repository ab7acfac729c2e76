/**
 * The commands that must work while the configuration of a running gateway is broken: a typo must not bar its own mend.
 */
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { NOBODY, type ProgramResult, runProgram } from "./support.ts";

suite("a broken configuration of a running gateway", {
  skip: labMissing() ?? false,
  timeout: 180_000,
}, () => {
  let house: House;
  let hawser: Hawser;
  let good: string;

  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    hawser = await Hawser.start(house);
    good = readFileSync(hawser.file("local.toml"), "utf8");
  });
  after(() => tearDown(hawser, house));

  const run = (words: string, wrap: readonly string[] = []): Promise<ProgramResult> =>
    runProgram(house.router, "hawser-local", [...words.split(" "), "-c", hawser.file("local.toml")], "", {
      wrap,
    });

  const rules = async (): Promise<string> => (await house.router.exec("iptables-save", [])).stdout;

  for (const [what, edit] of [
    ["a misspelt key", ["interface =", "interfase ="]],
    ["a missing quote", ['name = "adsl1"', 'name = "adsl1']],
  ] as const) {
    test(`${what}: status, flows, events, logs, path and drill answer, and say what is wrong`, async () => {
      hawser.write("local.toml", good.replace(edit[0], edit[1]));
      for (const words of ["status", "flows", "events", "logs", "path adsl1 active", "drill adsl1"]) {
        const { code, stderr } = await run(words);
        // The gateway refuses to drill its only line, which shows that it was asked.
        assert.equal(code, words === "drill adsl1" ? 1 : 0, `${words}: ${stderr}`);
        assert.match(stderr, /local\.toml: .*\nasking the gateway at 127\.0\.0\.1:8080 all the same\n/);
      }
      assert.match((await run("status")).stdout, /adsl1 +up/);
      hawser.write("local.toml", good);
    });
  }

  test("the same commands answer for a remote gateway with a broken configuration", async () => {
    const config = hawser.file("remote.toml");
    const text = readFileSync(config, "utf8");
    hawser.write("remote.toml", text.replace("listen =", "lisen ="));
    const { code, stdout, stderr } = await runProgram(house.remote, "hawser-remote", [
      "status",
      "-c",
      config,
    ]);
    hawser.write("remote.toml", text);
    assert.deepEqual([code, /home: up/.test(stdout)], [0, true], stderr);
    assert.match(stderr, /remote\.toml: lisen: .*\nasking the gateway at 127\.0\.0\.1:8081 all the same\n$/s);
  });

  test("with a broken file its home stays connected, another home can be paired, and every view reports the fault", async () => {
    const remote = (...args: string[]): Promise<ProgramResult> =>
      runProgram(house.remote, "hawser-remote", [...args, "-c", hawser.file("remote.toml")]);
    const text = readFileSync(hawser.file("peers/home.toml"), "utf8");
    const said = /peers\/home\.toml: alow: unknown key; did you mean "allow"\?/;
    hawser.write("peers/home.toml", `${text}alow = []\n`);
    await until(async () => said.test(await events()));
    const check = await remote("check");
    assert.deepEqual([check.code, said.test(check.stderr)], [2, true], check.stderr);
    assert.equal((await remote("pair", "lake")).code, 0);
    const peers = await remote("peers");
    assert.deepEqual([peers.code, said.test(peers.stderr)], [0, true], peers.stderr);
    assert.match(peers.stdout, /^lake +not connected$/m);
    assert.match((await remote("status")).stdout, /^home: up/m);
    assert.equal(await sessions(), 1);
    hawser.write("peers/home.toml", text);
    assert.equal((await remote("unpair", "lake")).code, 0);
    assert.deepEqual([(await remote("check")).code, await sessions()], [0, 1]);

    async function events(): Promise<string> {
      const all = (await hawser.remote.get("/api/events")) as { message: string }[];
      return all.map(({ message }) => message).join("\n");
    }
    async function sessions(): Promise<number> {
      return hawser.remote.logText().split('"session opened"').length - 1;
    }
  });

  test("a user who may not read the file sees the status, and is told to use sudo", async () => {
    const { code, stdout, stderr } = await run("status", NOBODY);
    assert.deepEqual([code, /adsl1 +up/.test(stdout)], [0, true], stderr);
    assert.match(stderr, /permission denied; run this with sudo\n/);
  });

  test("rules clear removes the rules when the file is broken, unreadable or missing", async () => {
    // A running gateway puts the rules back.
    await hawser.local.stop();
    for (const prepare of [
      () => hawser.write("local.toml", "[status\n"),
      () => chmodSync(hawser.file("local.toml"), 0),
      () => chmodSync(hawser.file("local.toml"), 0o600),
    ]) {
      await run("rules apply");
      prepare();
      const args = ["rules", "clear"];
      const { code, stderr } = await runProgram(house.router, "hawser-local", args);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.doesNotMatch(await rules(), /HAWSER/);
      assert.equal((await run("rules clear")).code, 0);
      hawser.write("local.toml", good);
    }
  });
});
