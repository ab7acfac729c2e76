import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { type Gateway, Hawser, type HawserOptions, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask } from "./sockets.ts";
import { runProgram } from "./support.ts";

/** Debian's nobody. */
const USER = 65_534;
/** The capabilities that deploy/*.service give. */
const LOCAL_CAPABILITIES = ["net_admin", "net_raw", "net_bind_service"];
const REMOTE_CAPABILITIES = ["net_bind_service"];

/** setpriv(1): a user with these capabilities alone, who can never get more. */
function unprivileged(capabilities: readonly string[]): string[] {
  const set = ["-all", ...capabilities.map((name) => `+${name}`)].join();
  return [
    "setpriv",
    `--reuid=${USER}`,
    `--regid=${USER}`,
    "--clear-groups",
    "--no-new-privs",
    ...["--inh-caps", "--ambient-caps", "--bounding-set"].map((option) => `${option}=${set}`),
  ];
}

describe("as an unprivileged user", { skip: labMissing("setpriv") ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let good: { local: string; remote: string };
  const options: { -readonly [K in keyof HawserOptions]: HawserOptions[K] } = {};
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    await startOrigin(house.origin);
    hawser = await Hawser.start(house, options);
    good = { local: read("local.toml"), remote: read("remote.toml") };
    await hawser.local.stop();
    await hawser.remote.stop();
    await house.router.exec("chown", ["-R", `${USER}:${USER}`, hawser.folder]);
  });
  after(() => tearDown(hawser, house));
  beforeEach(() => {
    hawser.write("local.toml", good.local);
    hawser.write("remote.toml", good.remote);
  });

  function read(name: string): string {
    return readFileSync(hawser.file(name), "utf8");
  }

  /** The process's user id, and its effective capabilities as capsh prints them. */
  async function rightsOf({ process: { pid } }: Gateway): Promise<[number, string]> {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const set = /^CapEff:\s*(\w+)$/m.exec(status)?.[1] as string;
    return [Number(/^Uid:\s*(\d+)/m.exec(status)?.[1]), set.replace(/^0+/, "")];
  }

  /** The address that the origin sees: the remote gateway's, or that of the LAN's client. */
  async function seenByOrigin(): Promise<string> {
    const address = { host: house.addresses.origin.v4, port: ORIGIN_PORT };
    return (await ask(house.lan, address, "WHO\n")).split(" ")[0] ?? "";
  }

  async function start(local: readonly string[], remote: readonly string[]): Promise<void> {
    options.wrap = unprivileged(remote);
    await hawser.startRemote();
    options.wrap = unprivileged(local);
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
  }

  async function stop(): Promise<void> {
    assert.deepEqual([await hawser.local.stop(), await hawser.remote.stop()], [0, 0]);
  }

  const direct = "::ffff:192.168.77.2";
  const overRemote = `::ffff:198.51.100.1`;

  test("both run with the capabilities of their units, and with no other", async () => {
    hawser.write("remote.toml", good.remote.replace("listen = [", 'listen = ["127.0.0.1:443", '));
    await start(LOCAL_CAPABILITIES, REMOTE_CAPABILITIES);
    assert.deepEqual(await rightsOf(hawser.local), [USER, "3400"]);
    assert.deepEqual(await rightsOf(hawser.remote), [USER, "400"]);
    await until(async () => (await seenByOrigin()) === overRemote);
    await stop();
    assert.equal(await seenByOrigin(), direct);
    assert.doesNotMatch((await house.router.exec("iptables-save", [])).stdout, /HAWSER/);
  });

  test("without any capability, when root puts the rules in place", async () => {
    hawser.write("local.toml", good.local.replace("[capture]", "[capture]\nrules = false"));
    await start([], []);
    assert.deepEqual(
      [await rightsOf(hawser.local), await rightsOf(hawser.remote)],
      [
        [USER, ""],
        [USER, ""],
      ],
    );
    assert.equal(await seenByOrigin(), direct);
    await hawser.runLocal(["rules", "apply"]);
    assert.equal(await seenByOrigin(), overRemote);
    hawser.local.process.kill("SIGHUP");
    await until(async () => /reloaded paths/.test(hawser.local.logText()));
    assert.equal(await seenByOrigin(), overRemote);
    await hawser.runLocal(["rules", "clear"]);
    assert.equal(await seenByOrigin(), direct);
    await stop();
  });

  test("a missing capability is reported in one line", async () => {
    const ends = async (side: "local" | "remote"): Promise<[number | null, string]> => {
      const args = ["run", "-c", hawser.file(`${side}.toml`)];
      const where = side === "local" ? house.router : house.remote;
      const wrap = { wrap: unprivileged([]) };
      const { code, stderr } = await runProgram(where, `hawser-${side}`, args, "", wrap);
      const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
      assert.equal(lines.length, 1, stderr);
      return [code, lines[0] as string];
    };
    const [code, line] = await ends("local");
    assert.equal(code, 1);
    assert.match(line, /^capture\.rules .* needs CAP_NET_ADMIN: .*hawser-local\.service.*rules = false/);
    hawser.write("remote.toml", good.remote.replace("listen = [", 'listen = ["127.0.0.1:443", '));
    assert.deepEqual(await ends("remote"), [
      1,
      `${hawser.file("remote.toml")}: listen[0]: no permission to listen on 127.0.0.1:443; ports below 1024 need CAP_NET_BIND_SERVICE`,
    ]);
    chmodSync(hawser.file("identity.pem"), 0o604);
    assert.match(
      (await ends("remote")).join(" "),
      /^2 .*remote\.toml: identity: .*holds a secret.*: chmod 600 /,
    );
  });
});
