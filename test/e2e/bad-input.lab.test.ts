import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, Hawser, SOCKS_PORT } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { listenIn } from "./sockets.ts";
import { NOBODY, type ProgramResult, pairingSecret, runProgram } from "./support.ts";

describe("bad input", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let good: string;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    hawser = await Hawser.start(house);
    good = readFileSync(hawser.file("local.toml"), "utf8");
    await hawser.local.stop();
  });
  after(() => tearDown(hawser, house));
  beforeEach(() => {
    hawser.write("local.toml", good);
    chmodSync(hawser.file("pairing.txt"), 0o600);
  });

  function local(command: string, wrap: readonly string[] = []): Promise<ProgramResult> {
    const args = [command, "-c", hawser.file("local.toml")];
    return runProgram(house.router, "hawser-local", args, "", { wrap });
  }

  /** Asserts the exit code, one line of stderr that matches `what`, no trace of the secret, and no rule left behind. */
  async function assertRefused(result: ProgramResult, code: number, what: RegExp): Promise<void> {
    // A gateway that has got as far as a log may also write the fault there.
    const lines = result.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    assert.deepEqual([result.code, lines.length], [code, 1], result.stderr);
    assert.match(lines[0] as string, what);
    const secret = pairingSecret(readFileSync(hawser.file("pairing.txt"), "utf8"));
    assert.ok(!(result.stdout + result.stderr).includes(secret));
    assert.doesNotMatch((await house.router.exec("iptables-save", [])).stdout, /HAWSER/);
  }

  for (const [what, edit, message] of [
    ["a misspelt key", ["bypass =", "bypas ="], /local\.toml: capture\.bypas: .*"bypass"/],
    ["an unknown section", ["[socks]", "[proxy]"], /local\.toml: proxy: /],
    [
      "a wrong value",
      ['name = "adsl1"', 'name = "adsl1"\nsubflows = 17'],
      /local\.toml: path\[0\]\.subflows: /,
    ],
    ["a wrong type", ['from = ["lan0"]', 'from = "lan0"'], /local\.toml: capture\.from: /],
    ["a wrong endpoint", [`0.0.0.0:${SOCKS_PORT}`, "0.0.0.0"], /local\.toml: socks\.listen: /],
    ["what is no TOML", ["[socks]", "[socks"], /local\.toml: line \d+/],
    ["a pairing file that is not there", ["pairing.txt", "nowhere.txt"], /nowhere\.txt: does not exist/],
  ] as const) {
    test(`${what}: check and run say where the fault is, and exit with 2`, async () => {
      assert.ok(good.includes(edit[0]));
      hawser.write("local.toml", good.replace(edit[0], edit[1]));
      for (const result of await Promise.all([local("check"), local("run")])) {
        await assertRefused(result, 2, message);
      }
    });
  }

  test("a missing configuration: exit 2", async () => {
    const result = await runProgram(house.router, "hawser-local", ["run", "-c", hawser.file("none.toml")]);
    await assertRefused(result, 2, /none\.toml: does not exist/);
  });

  test("a secret that others can read: exit 2, with the command that mends it", async () => {
    chmodSync(hawser.file("pairing.txt"), 0o644);
    await assertRefused(await local("run"), 2, /pairing\.txt: .*chmod 600 .*pairing\.txt/);
    const identity = hawser.file("identity.pem");
    chmodSync(identity, 0o640);
    const remote = await runProgram(house.remote, "hawser-remote", [
      "check",
      "-c",
      hawser.file("remote.toml"),
    ]);
    chmodSync(identity, 0o600);
    await assertRefused(remote, 2, /identity\.pem: .*chmod 600 .*identity\.pem/);
  });

  test("a secret that cannot be read: exit 2", async () => {
    chmodSync(hawser.file("local.toml"), 0o644);
    chmodSync(hawser.folder, 0o755);
    await assertRefused(await local("run", NOBODY), 2, /pairing\.txt: cannot be read: permission denied/);
  });

  test("a damaged pairing line: exit 2, without the secret in the message", async () => {
    const line = readFileSync(hawser.file("pairing.txt"), "utf8");
    hawser.write("pairing.txt", line.replace(/.@/, "@"));
    const result = await local("check");
    hawser.write("pairing.txt", line);
    assert.ok(!result.stderr.includes(pairingSecret(line).slice(0, 20)));
    await assertRefused(result, 2, /pairing\.txt: .*key/);
  });

  for (const [key, port] of [
    ["capture.listen", CAPTURE_PORT],
    ["socks.listen", SOCKS_PORT],
    ["status.listen", 8080],
  ] as const) {
    test(`a busy port of ${key}: exit 1`, async () => {
      const squatter = await listenIn(house.router, port);
      const result = await local("run");
      squatter.close();
      await assertRefused(
        result,
        1,
        new RegExp(`local\\.toml: ${key.replace(".", "\\.")}.*:${port} is in use`),
      );
    });
  }

  test("a busy port of the remote gateway: exit 1", async () => {
    const result = await runProgram(house.remote, "hawser-remote", ["run", "-c", hawser.file("remote.toml")]);
    await assertRefused(result, 1, /^\S+remote\.toml: (status\.listen|listen): .* is in use/);
  });

  test("a missing capability: exit 1, with its name and who can give it", async () => {
    const folder = join(hawser.folder, "nobody");
    mkdirSync(folder, { recursive: true });
    for (const name of ["local.toml", "pairing.txt"]) copyFileSync(hawser.file(name), join(folder, name));
    await house.router.exec("chown", ["-R", "65534:65534", folder]);
    chmodSync(dirname(folder), 0o755);
    const args = ["run", "-c", join(folder, "local.toml")];
    const result = await runProgram(house.router, "hawser-local", args, "", { wrap: NOBODY });
    await assertRefused(result, 1, /needs CAP_NET_(RAW|ADMIN): /);
  });

  test("wrong commands and options: exit 2; help and versions: exit 0", async () => {
    for (const program of ["hawser-local", "hawser-remote"] as const) {
      const run = (...args: string[]): Promise<ProgramResult> => runProgram(house.router, program, args);
      const [nothing, unknown, noFile, help, version] = await Promise.all([
        run(),
        run("rnu"),
        run("run", "-c"),
        run("run", "--help"),
        run("--version"),
      ]);
      assert.deepEqual([nothing.code, unknown.code, noFile.code, help.code, version.code], [2, 2, 2, 0, 0]);
      assert.match(unknown.stderr, /run/);
      assert.match(noFile.stderr, /--config/);
      assert.match(version.stdout, /^\d+\.\d+\.\d+/);
    }
  });

  test("status and connect without a gateway: exit 1, with the address that was asked", async () => {
    await assertRefused(await local("status"), 1, /127\.0\.0\.1:8080: /);
    const connect = (host: string): Promise<ProgramResult> =>
      runProgram(house.router, "hawser-local", ["connect", "-c", hawser.file("local.toml"), host, "80"]);
    await assertRefused(await connect("192.0.2.1"), 1, /127\.0\.0\.1:8080: /);
    for (const host of ["", "bad host"]) {
      const { code, stderr } = await connect(host);
      assert.equal(code, 2);
      assert.match(stderr, /is neither an IP address nor a domain name\..*\n\(hawser-local connect --help /s);
    }
  });

  test("init overwrites nothing; pair and unpair name the admitted peers", async () => {
    const remote = (...args: string[]): Promise<ProgramResult> =>
      runProgram(house.remote, "hawser-remote", [...args, "-c", hawser.file("remote.toml")]);
    const texts = (): string[] =>
      ["remote.toml", "peers/home.toml"].map((name) => readFileSync(hawser.file(name), "utf8"));
    const before = texts();
    await assertRefused(await remote("init", "--listen", "[::]:1"), 2, /remote\.toml: exists already/);
    await assertRefused(await remote("pair", "home"), 2, /"home" is admitted already/);
    await assertRefused(await remote("unpair", "hom"), 2, /"hom" is not admitted; did you mean "home"/);
    assert.match((await remote("peers")).stdout, /^home\b.*\n$/);
    const peers = JSON.parse((await remote("peers", "--json")).stdout) as { name: string }[];
    assert.deepEqual(
      peers.map(({ name }) => name),
      ["home"],
    );
    assert.deepEqual(texts(), before);
  });
});
