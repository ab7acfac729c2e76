import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, type Gateway, Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import {
  ask,
  connectFrom,
  destroySockets,
  type Listener,
  listenIn,
  type Pair,
  pair,
  Reader,
} from "./sockets.ts";
import { editLocal, pairingSecret, runProgram, TWO_VETHS } from "./support.ts";

const MIB = 2 ** 20;

describe("starting, stopping and reloading", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let listener: Listener;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    await startOrigin(house.origin);
    listener = await listenIn(house.origin);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));
  beforeEach(async () => {
    if (hasEnded(hawser.remote)) await hawser.startRemote();
    if (hasEnded(hawser.local)) await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "disabled"));
  });
  afterEach(destroySockets);

  function hasEnded({ process }: Gateway): boolean {
    return process.exitCode !== null || process.signalCode !== null;
  }

  function flow(): Promise<Pair> {
    return pair(house.lan, { host: house.addresses.origin.v4, port: listener.port }, listener);
  }

  function works(): Promise<string> {
    return ask(house.lan, { host: house.addresses.origin.v4, port: ORIGIN_PORT }, "ONE\n");
  }

  for (const which of ["local", "remote"] as const) {
    test(`SIGTERM lets the ${which} gateway's open transfers finish; then it exits with 0`, async () => {
      const { client, server } = await flow();
      const [clientReader, serverReader] = [new Reader(client), new Reader(server)];
      client.write("ask");
      await serverReader.bytes(3);
      const exited = once(hawser[which].process, "exit");
      hawser[which].process.kill("SIGTERM");
      await until(async () => /waiting for open flows/.test(hawser[which].logText()));
      for (let round = 1; round <= 4; round++) {
        server.write(Buffer.alloc(MIB / 2));
        await clientReader.bytes((round * MIB) / 2);
        client.write("more");
        await serverReader.bytes(3 + 4 * round);
      }
      assert.equal(hasEnded(hawser[which]), false);
      server.end();
      client.end();
      await Promise.all([clientReader.end(), serverReader.end()]);
      assert.deepEqual(await exited, [0, null]);
    });

    test(`the ${which} gateway delivers what it holds for a slow reader before it exits`, async () => {
      const { client, server } = await flow();
      const [from, to] = which === "local" ? [server, client] : [client, server];
      from.resume().end(Buffer.alloc(16 * MIB, "x"));
      to.end();
      // All bytes are on the way once the far gateway has taken the end.
      const far = which === "local" ? hawser.remote : hawser.local;
      const gone = async (): Promise<boolean> => ((await far.get("/api/flows")) as unknown[]).length === 0;
      const exited = once(hawser[which].process, "exit");
      const reader = new Reader(to);
      to.pause();
      await until(async () => from.bytesWritten > 0);
      hawser[which].process.kill("SIGTERM");
      to.resume();
      await reader.end();
      assert.equal(reader.length, 16 * MIB);
      await until(gone);
      assert.deepEqual(await exited, [0, null]);
    });

    test(`a second SIGTERM cuts the open flows of the ${which} gateway`, async () => {
      const { client, server } = await flow();
      const [clientReader, serverReader] = [new Reader(client), new Reader(server)];
      const exited = once(hawser[which].process, "exit");
      hawser[which].process.kill("SIGTERM");
      await until(async () =>
        /waiting for open flows/.test(hawser[which].logText().split('"running"').at(-1) ?? ""),
      );
      const started = performance.now();
      hawser[which].process.kill("SIGTERM");
      assert.deepEqual(await exited, [0, null]);
      assert.ok(performance.now() - started < 3_000);
      assert.deepEqual(await Promise.all([clientReader.error(), serverReader.error()]), [
        "ECONNRESET",
        "ECONNRESET",
      ]);
    });
  }

  test("while it drains, the local gateway takes no new connection", async () => {
    const { client } = await flow();
    const exited = once(hawser.local.process, "exit");
    hawser.local.process.kill("SIGTERM");
    // The rules are gone first, so new connections go out directly.
    await until(async () =>
      (await ask(house.lan, { host: house.addresses.origin.v4, port: ORIGIN_PORT }, "WHO\n")).startsWith(
        "::ffff:192.168.77.2 ",
      ),
    );
    const socks = connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: SOCKS_PORT });
    assert.equal(await new Reader(socks).error(), "ECONNREFUSED");
    assert.equal((await hawser.local.answer("/healthz"))[0], 503);
    client.resetAndDestroy();
    assert.deepEqual(await exited, [0, null]);
    // An orderly end logs no warning.
    const log = hawser.local.logText();
    const lines = log.slice(log.lastIndexOf('"msg":"stopping"')).trim().split("\n");
    assert.match(lines.at(-1) ?? "", /"msg":"stopped"/);
    assert.deepEqual(
      lines.filter((line) => line.includes('"level":"warn"')),
      [],
    );
  });

  test("SIGHUP follows paths and rules; open flows go on", async () => {
    const { client, server } = await flow();
    const reader = new Reader(client);
    const before = readFileSync(hawser.file("local.toml"), "utf8");
    editLocal(hawser, (text) =>
      text
        .replace('name = "adsl2"', 'name = "adsl2"\nrole = "disabled"')
        .replace("bypass = [", 'bypass = ["192.0.2.0/24", '),
    );
    hawser.local.process.kill("SIGHUP");
    await hawser.whenPaths((states) => states.join() === "up,disabled");
    const rules = async (): Promise<string> =>
      (await house.router.exec("iptables-save", ["-t", "nat"])).stdout;
    await until(async () => (await rules()).includes("-d 192.0.2.0/24 -j RETURN"));
    server.write("still here");
    await reader.bytes(10);
    hawser.write("local.toml", before);
    hawser.local.process.kill("SIGHUP");
    await hawser.whenPaths((states) => states.join() === "up,up");
    await until(async () => !(await rules()).includes("192.0.2.0/24"));
    client.destroy();
    assert.doesNotMatch(hawser.local.logText(), /takes a restart/);
  });

  test("SIGHUP with a wrong file is logged and changes nothing", async () => {
    const before = readFileSync(hawser.file("local.toml"), "utf8");
    hawser.write("local.toml", before.replace("[capture]", "[captrue]"));
    hawser.local.process.kill("SIGHUP");
    await until(async () => /was not reloaded/.test(hawser.local.logText()));
    assert.match(hawser.local.logText(), /captrue.*capture/);
    hawser.write("local.toml", before);
    assert.equal(await works(), "1");
  });

  test("SIGHUP does not redirect the LAN to a port without a listener", async () => {
    const before = readFileSync(hawser.file("local.toml"), "utf8");
    editLocal(hawser, (text) =>
      text.replaceAll(`:${CAPTURE_PORT}"`, ':12399"').replace("bypass = [", 'bypass = ["192.0.2.0/24", '),
    );
    hawser.local.process.kill("SIGHUP");
    await until(async () =>
      (await house.router.exec("iptables-save", ["-t", "nat"])).stdout.includes("192.0.2.0/24"),
    );
    assert.equal(await works(), "1");
    const told = /"keys":\["capture\.listen"\],"msg":"these have changed, which takes a restart"/;
    await until(async () => told.test(hawser.local.logText()));
    hawser.write("local.toml", before);
    hawser.local.process.kill("SIGHUP");
    await until(
      async () => !(await house.router.exec("iptables-save", ["-t", "nat"])).stdout.includes("192.0.2.0/24"),
    );
  });

  test("unpair cuts a running peer at once; a new pairing line lets it in again", async () => {
    const { client, server } = await flow();
    const [clientReader, serverReader] = [new Reader(client), new Reader(server)];
    const config = ["-c", hawser.file("remote.toml")];
    const started = performance.now();
    assert.equal((await runProgram(house.remote, "hawser-remote", ["unpair", "home", ...config])).code, 0);
    const ends = await Promise.all([clientReader.error(), serverReader.error()]);
    const took = performance.now() - started;
    assert.deepEqual(ends, ["ECONNRESET", "ECONNRESET"]);
    assert.ok(took < 3_000, `${took} ms`);
    await until(async () => (await hawser.remoteStatus()).sessions.length === 0);
    await hawser.whenPaths((states) => states.every((state) => state === "down"));
    await until(async () =>
      (await hawser.status()).session.paths.every(({ lastError }) =>
        /admit|key|refuse/i.test(lastError ?? ""),
      ),
    );

    const { stdout } = await runProgram(house.remote, "hawser-remote", ["pair", "home", ...config]);
    const old = pairingSecret(readFileSync(hawser.file("pairing.txt"), "utf8"));
    assert.notEqual(pairingSecret(stdout), old);
    hawser.write("pairing.txt", stdout);
    await hawser.local.stop();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.join() === "up,up");
    assert.equal(await works(), "1");
    for (const gateway of [hawser.local, hawser.remote]) assert.ok(!gateway.logText().includes(old));
  });

  test("a peer that is paired anew under the same name is cut as well", async () => {
    const { client } = await flow();
    const reader = new Reader(client);
    const text = readFileSync(hawser.file("peers/home.toml"), "utf8");
    const key = /key = "(.+)"/.exec(text)?.[1] as string;
    // The key changes in one step, so a gateway that compares only names would see no change.
    hawser.write("peers/home.toml", text.replace(key, `${key[0] === "A" ? "B" : "A"}${key.slice(1)}`));
    assert.equal(await reader.error(), "ECONNRESET");
    hawser.write("peers/home.toml", text);
    await hawser.whenPaths((states) => states.join() === "up,up");
  });

  test("doctor finds nothing bad before the start; the gateway starts while the remote is away, and connects when it comes", async () => {
    await hawser.local.stop();
    const doctor = await runProgram(house.router, "hawser-local", [
      "doctor",
      "-c",
      hawser.file("local.toml"),
    ]);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout, /^note redirect rules for IPv4: they are not in place/m);
    await hawser.remote.stop();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.join() === "down,down");
    const [path] = (await hawser.status()).session.paths;
    assert.match(path?.lastError ?? "", /ECONNREFUSED/);
    const early = works();
    await hawser.startRemote();
    await hawser.whenPaths((states) => states.join() === "up,up");
    assert.equal(await early, "1");
  });

  test("when the remote was restarted, the flows are reset and new ones work", async () => {
    const { client } = await flow();
    const reader = new Reader(client);
    hawser.remote.process.kill("SIGKILL");
    await once(hawser.remote.process, "exit");
    await hawser.startRemote();
    assert.equal(await reader.error(), "ECONNRESET");
    await hawser.whenPaths((states) => states.join() === "up,up");
    assert.equal(await works(), "1");
  });
});
