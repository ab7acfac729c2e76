import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadIdentity } from "@hawser/gateway-kit/config";
import { deriveConnectToken, derivePsk, parseSecretText, type Secret } from "@hawser/shared-protocol";
import type { GatewayEvent } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { destroySockets, type Listener, listenIn, type Pair, pair, Reader } from "./sockets.ts";
import { type ProgramResult, pairingSecret, runProgram } from "./support.ts";

const CHUNK = 16_384;
/**
 * The pause between chunks, milliseconds: 13 Mbit/s at most, which the lines carry without a queue that takes seconds
 * to drain.
 */
const PACE_MS = 10;
const FLOWS = 20;

/** Sends one way until told to stop, and compares the bytes that arrive with those that were sent. */
class Transfer {
  readonly #done: Promise<[string, string]>;
  #isStopping = false;
  /** The longest time without a byte, milliseconds. */
  longestGapMs = 0;

  constructor(from: Socket, to: Socket) {
    this.#done = Promise.all([this.#send(from), this.#receive(to)]);
  }

  async #send(socket: Socket): Promise<string> {
    const hash = createHash("sha256");
    for (let round = 0; !this.#isStopping; round++) {
      const chunk = Buffer.alloc(CHUNK, `${round} `);
      hash.update(chunk);
      if (!socket.write(chunk)) await once(socket, "drain");
      await sleep(PACE_MS);
    }
    socket.end();
    return hash.digest("hex");
  }

  async #receive(socket: Socket): Promise<string> {
    const hash = createHash("sha256");
    let last = performance.now();
    for await (const bytes of socket) {
      hash.update(bytes as Buffer);
      this.longestGapMs = Math.max(this.longestGapMs, performance.now() - last);
      last = performance.now();
    }
    return hash.digest("hex");
  }

  /** @throws the error of a broken connection */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const [sent, received] = await this.#done;
    assert.equal(received, sent);
  }
}

describe("who may join, and secrets", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let listener: Listener;
  /** All secrets that there have been, as text. */
  const secrets = new Set<string>();
  before(async () => {
    house = await House.create({
      lines: [
        { name: "adsl1", down: 20e6, up: 10e6, delayMs: 10, queueMs: 100 },
        { name: "adsl2", down: 20e6, up: 10e6, delayMs: 15, queueMs: 100 },
      ],
    });
    await startOrigin(house.origin);
    listener = await listenIn(house.origin);
    hawser = await Hawser.start(house, { logLevel: "trace" });
  });
  after(() => tearDown(hawser, house));
  beforeEach(() => hawser.whenPaths((states) => states.join() === "up,up"));
  afterEach(() => {
    destroySockets();
    noteSecrets();
  });

  function noteSecrets(): void {
    secrets.add(pairingSecret(readFileSync(hawser.file("pairing.txt"), "utf8")));
    const identity = loadIdentity(hawser.file("identity.pem"));
    const keys = [...homeToml().matchAll(/key = "(.+)"/g)].map((match): Secret => {
      const key = parseSecretText(match[1] as string);
      assert.ok(key.ok);
      return key.value;
    });
    const psks = keys.map((key) => derivePsk(identity, key, "home"));
    for (const psk of psks) secrets.add(deriveConnectToken(psk));
    for (const secret of [identity, ...keys, ...psks])
      for (const encoding of ["base64", "base64url", "hex"] as const)
        secrets.add(secret.reveal().toString(encoding));
  }

  function homeToml(): string {
    return readFileSync(hawser.file("peers/home.toml"), "utf8");
  }

  function remote(...args: string[]): Promise<ProgramResult> {
    return runProgram(house.remote, "hawser-remote", [...args, "-c", hawser.file("remote.toml")]);
  }

  async function pairingLine(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await remote(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Gives the running local gateway another pairing line. */
  function follow(line: string): void {
    hawser.write("pairing.txt", line);
    hawser.local.process.kill("SIGHUP");
  }

  /** What the doctor says with this pairing line. */
  async function doctor(line: string): Promise<string> {
    hawser.write("other.txt", line);
    const local = readFileSync(hawser.file("local.toml"), "utf8");
    hawser.write("other.toml", local.replace("pairing.txt", "other.txt"));
    const args = ["doctor", "-c", hawser.file("other.toml")];
    return (await runProgram(house.router, "hawser-local", args)).stdout;
  }

  function flow(): Promise<Pair> {
    return pair(house.lan, { host: house.addresses.origin.v4, port: listener.port }, listener);
  }

  function sessionsOpened(): number {
    return hawser.remote.logText().split('"session opened"').length - 1;
  }

  test("a secret is rotated under running transfers: none is lost, the session stays, the old line is dead", async (t) => {
    const sessions = sessionsOpened();
    const flows = [await flow(), await flow()];
    const transfers = flows.flatMap(({ client, server }, i) =>
      i === 0 ? [new Transfer(server, client)] : [new Transfer(client, server)],
    );
    const old = readFileSync(hawser.file("pairing.txt"), "utf8");
    const line = await pairingLine("rotate", "home");
    noteSecrets();
    assert.notEqual(pairingSecret(line), pairingSecret(old));
    assert.match(homeToml(), /old_key_until = /);
    const accepted = /is reached and knows our key/;
    assert.match(await doctor(old), accepted);
    await until(async () => accepted.test(await doctor(line)));
    assert.match(homeToml(), /old_key_until = /, "a handshake alone is no use of the key");

    follow(line);
    await until(async () => !homeToml().includes("old_key"));
    const renewed = /its line was dialled anew/g;
    await until(async () => (hawser.remote.logText().match(renewed)?.length ?? 0) >= 2);
    assert.match(await doctor(old), /the server knows no such identity/);
    await Promise.all(transfers.map((transfer) => transfer.stop()));
    assert.equal(sessionsOpened(), sessions);
    const gap = Math.max(...transfers.map(({ longestGapMs }) => longestGapMs));
    t.diagnostic(`longest gap ${Math.round(gap)} ms`);
    assert.ok(gap < 1_500, `${gap} ms without a byte`);
    // When a new connection takes the place of an old one, no line counts as faulty.
    for (const gateway of [hawser.local, hawser.remote]) {
      const events = (await gateway.get("/api/events")) as GatewayEvent[];
      assert.ok(!events.some(({ type }) => type === "subflow-lost"));
    }
    for (const path of (await hawser.status()).session.paths) assert.equal(path.lastError, null);
    // The token of `connect` changes with the secret.
    const args = ["connect", "-c", hawser.file("local.toml"), house.addresses.origin.v4, String(ORIGIN_PORT)];
    assert.equal((await runProgram(house.router, "hawser-local", args, "ONE\n")).stdout, "1");
  });

  test("a dead line does not hold up the rotation on the other line, and joins with the new key when it is back", async () => {
    const dead = house.line("adsl1");
    await dead.set({ blackhole: true });
    await hawser.whenPaths((states) => states.join() === "down,up");
    follow(await pairingLine("rotate", "home"));
    // One line has joined with the new key, while the attempt over the dead line goes on.
    await until(async () => !homeToml().includes("old_key"), 8_000);
    await dead.set({ blackhole: false });
    await hawser.whenPaths((states) => states.join() === "up,up");
  });

  test("a gateway that does not follow a rotation is cut when the old key expires", async () => {
    const { client } = await flow();
    const line = await pairingLine("rotate", "home", "--grace", "1s");
    assert.equal(await new Reader(client).error(), "ECONNRESET");
    await hawser.whenPaths((states) => states.join() === "down,down");
    follow(line);
    await hawser.whenPaths((states) => states.join() === "up,up");
  });

  test("a removed peer is cut within a second, transfers included, and does not come back", async (t) => {
    const flows = await Promise.all(Array.from({ length: FLOWS }, flow));
    for (const { client, server } of flows.slice(0, 2)) new Transfer(server, client).stop().catch(() => {});
    const ends = flows.map(({ server, client }, i) => new Reader(i < 2 ? server : client).error());
    assert.equal((await remote("unpair", "home")).code, 0);
    const started = performance.now();
    assert.deepEqual(new Set(await Promise.all(ends)), new Set(["ECONNRESET"]));
    const took = performance.now() - started;
    t.diagnostic(`all flows were reset ${Math.round(took)} ms after the command`);
    assert.ok(took < 1_000, `${took} ms`);

    const sessions = sessionsOpened();
    await hawser.whenPaths((states) => states.join() === "down,down");
    // Each line has tried again, with its old session and with a new one.
    const refused = /no peer of this identity/g;
    const before = hawser.remote.logText().match(refused)?.length ?? 0;
    await until(async () => (hawser.remote.logText().match(refused)?.length ?? 0) >= before + 4);
    assert.equal((await hawser.remoteStatus()).sessions.length, 0);
    assert.equal(sessionsOpened(), sessions);

    follow(await pairingLine("pair", "home"));
    await hawser.whenPaths((states) => states.join() === "up,up");
  });

  test("no log holds a secret, even at the lowest level", () => {
    assert.ok(secrets.size >= 20);
    const logs = [hawser.local.logText(), hawser.remote.logText()];
    assert.match(logs.join(""), /"level":"debug"/);
    for (const log of logs) for (const secret of secrets) assert.ok(!log.includes(secret));
  });
});
