/** A reload follows all that it can, cuts nothing, and never undoes a stop. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { startOrigin } from "../lab/traffic/run.ts";
import { destroySockets, type Listener, listenIn, type Pair, pair, Reader } from "./sockets.ts";
import { editLocal, pairingSecret, reload, runProgram } from "./support.ts";

const FAMILIES = { v4: "iptables-save", v6: "ip6tables-save" } as const;
type Version = keyof typeof FAMILIES;

describe("reloading", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let listener: Listener;
  let own: string;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    await startOrigin(house.origin);
    listener = await listenIn(house.origin);
    hawser = await Hawser.start(house);
    own = readFileSync(hawser.file("local.toml"), "utf8");
  });
  after(() => tearDown(hawser, house));
  afterEach(destroySockets);

  const flow = (version: Version): Promise<Pair> =>
    pair(house.lan, { host: house.addresses.origin[version], port: listener.port }, listener);

  async function natRules(version: Version): Promise<string> {
    return (await house.router.exec(FAMILIES[version], ["-t", "nat"])).stdout;
  }
  const hasJump = async (version: Version): Promise<boolean> => /-j HAWSER$/m.test(await natRules(version));

  /** Sends bytes both ways, one way after the other. */
  async function tick({ client, server }: Pair, readers: readonly Reader[], from: number): Promise<void> {
    for (let count = from + 1; count <= from + 10; count++) {
      client.write("?");
      await readers[0]?.bytes(count);
      server.write("!");
      await readers[1]?.bytes(count);
    }
  }

  for (const [what, edit] of [
    ["sets rules = false", (text: string) => text.replace("[capture]", "[capture]\nrules = false")],
    [
      "drops [capture]",
      (text: string) => text.replace(/\[capture\][^[]*(?:\[[^\]]*\][^[]*)*?(?=\[socks\])/, ""),
    ],
  ] as const) {
    for (const version of ["v4", "v6"] as const) {
      test(`a reload that ${what}: an open ${version} flow goes on, and the rules go with it`, async () => {
        await until(() => hasJump(version));
        const open = await flow(version);
        const readers = [new Reader(open.server), new Reader(open.client)];
        await tick(open, readers, 0);
        await reload(hawser, edit);
        assert.equal(await hasJump(version), false);
        await tick(open, readers, 10);
        assert.match(await natRules(version), /:HAWSER /);
        // This is longer than the gateway's pause between two checks whether the flow has ended.
        await until(async () => (await hawser.flows()).length === 1);
        await tick(open, readers, 20);
        open.client.end();
        open.server.end();
        await until(async () => !(await natRules(version)).includes("HAWSER"));
        await reload(hawser, () => own);
        await until(() => hasJump(version));
      });
    }
  }

  test("a part that fails stops no other part, and is reported", async () => {
    const state = hawser.file("state");
    writeFileSync(state, "no folder");
    const remote = await runProgram(house.remote, "hawser-remote", [
      "rotate",
      "home",
      "-c",
      hawser.file("remote.toml"),
    ]);
    assert.equal(remote.code, 0, remote.stderr);
    const before = pairingSecret(readFileSync(hawser.file("pairing.txt"), "utf8"));
    assert.notEqual(pairingSecret(remote.stdout), before);
    hawser.write("pairing.txt", remote.stdout);
    // Another folder for the state would take a restart, so the folder is broken under the running gateway.
    rmSync(hawser.file("quota.json"), { force: true });
    mkdirSync(hawser.file("quota.json"));
    editLocal(hawser, (text) =>
      text
        .replace('interface = "adsl1"', 'interface = "adsl1"\nquota = { bytes = "5GB" }')
        .replace("bypass = [", 'bypass = ["192.0.2.0/24", '),
    );
    hawser.local.process.kill("SIGHUP");
    await until(async () => /"msg":"the pairing has changed/.test(hawser.local.logText()));
    await until(async () => (await natRules("v6")) !== "" && (await natRules("v4")).includes("192.0.2.0/24"));
    const told =
      /the configuration was reloaded in part: not the quotas \(.*quota\.json.*\); but the paths, redirect rules, SOCKS users, pairing/;
    await until(async () => told.test(hawser.local.logText()));
    assert.doesNotMatch(hawser.local.logText(), /was not reloaded/);
    const { stdout } = await hawser.local.curl("/api/events");
    assert.match(stdout, /"reload-failed"/);
    rmSync(hawser.file("quota.json"), { recursive: true });
    await reload(hawser, () => own);
    assert.match((await hawser.local.curl("/api/events")).stdout, /"reloaded"/);
  });

  for (const order of [
    ["SIGHUP", "SIGTERM"],
    ["SIGTERM", "SIGHUP"],
  ] as const) {
    test(`${order.join(" and ")} at once: no connection is captured while the flow drains`, async () => {
      const open = await flow("v6");
      const readers = [new Reader(open.server), new Reader(open.client)];
      await tick(open, readers, 0);
      editLocal(hawser, (text) => text.replace("bypass = [", 'bypass = ["198.18.0.0/15", '));
      const drains = (): number => hawser.local.logText().split("waiting for open flows").length;
      const before = drains();
      const exited = once(hawser.local.process, "exit");
      for (const signal of order) hawser.local.process.kill(signal);
      await until(async () => drains() > before);
      for (const version of ["v4", "v6"] as const) assert.equal(await hasJump(version), false);
      await tick(open, readers, 10);
      for (const version of ["v4", "v6"] as const) assert.equal(await hasJump(version), false);
      open.client.end();
      open.server.end();
      assert.deepEqual(await exited, [0, null]);
      for (const version of ["v4", "v6"] as const) assert.doesNotMatch(await natRules(version), /HAWSER/);
      hawser.write("local.toml", own);
      await hawser.startLocal();
      await hawser.whenPaths((states) => states.every((state) => state === "up"));
    });
  }
});
