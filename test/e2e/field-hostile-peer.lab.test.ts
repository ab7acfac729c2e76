/**
 * A paired home that misuses its key against the other homes of its VPS. They go on, and the VPS's disk does not fill.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { PROTOCOL_VERSION, parsePairing } from "@hawser/shared-protocol";
import { clientTls, joinSession } from "@hawser/subflow-transport";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { connectFrom, destroySockets } from "./sockets.ts";
import { runProgram } from "./support.ts";

const SECONDS = 4;
const PINGS = Buffer.alloc(65_536, 0x04);

describe("a hostile peer", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let pairing: string;
  before(async () => {
    house = await House.create({
      lines: [
        { name: "adsl1", down: 30e6, up: 10e6, delayMs: 5 },
        { name: "adsl2", down: 30e6, up: 10e6, delayMs: 5 },
      ],
    });
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
    const paired = await runProgram(house.remote, "hawser-remote", [
      "pair",
      "evil",
      "-c",
      hawser.file("remote.toml"),
    ]);
    pairing = paired.stdout.trim();
  });
  after(() => tearDown(hawser, house));
  afterEach(destroySockets);

  /** Joins with one more subflow of the hostile home. @throws JoinError */
  async function join(session: Buffer, subflow: number): Promise<TLSSocket> {
    const parsed = parsePairing(pairing);
    assert.ok(parsed.ok);
    const { name, psk } = parsed.value;
    const raw = connectFrom(house.origin, { host: house.addresses.remote.v4, port: 4433 });
    await once(raw, "connect");
    const socket = await clientTls(raw, { identity: name, psk: psk.reveal(), servername: "hawser.invalid" });
    const place = { path: "dsl", index: 0, role: "active", subflow } as const;
    await joinSession(socket, { type: "hello", version: PROTOCOL_VERSION, session, resume: false, ...place });
    return socket.on("error", () => {}).resume();
  }

  function rate(): Promise<number> {
    const task = { host: house.addresses.origin.v4, port: ORIGIN_PORT, seconds: SECONDS };
    return download(house.lan, task).then(({ goodputBps }) => goodputBps);
  }

  test("a flood of PINGs costs the other home's download a third at most", async (t) => {
    await rate();
    const alone = await rate();
    const evil = await join(randomBytes(16), 0);
    let isOver = false;
    let bytes = 0;
    let drain = (): void => {};
    evil.on("drain", () => drain()).on("close", () => drain());
    const drained = (): Promise<void> => new Promise((done) => (drain = done));
    const flood = async (): Promise<void> => {
      while (!isOver && evil.writable) {
        bytes += PINGS.length;
        if (!evil.write(PINGS)) await drained();
      }
    };
    const flooding = flood();
    const cpu = hawser.remote.cpuSeconds();
    const flooded = await rate();
    const used = (hawser.remote.cpuSeconds() - cpu) / SECONDS;
    isOver = true;
    evil.destroy();
    await flooding;
    const mbit = (bps: number): string => (bps / 1e6).toFixed(1);
    t.diagnostic(
      `${mbit(alone)} Mbit/s alone, ${mbit(flooded)} beside ${(bytes / SECONDS / 1e6).toFixed(1)} M PINGs a second; ` +
        `the remote gateway used ${(100 * used).toFixed(0)} % of a core`,
    );
    assert.ok(flooded > (2 / 3) * alone, `${flooded} of ${alone}`);
  });

  test("joins without end are refused after a burst, and fill no log", async () => {
    const session = randomBytes(16);
    const before = hawser.remote.logText().length;
    let joined = 0;
    for (let subflow = 1; subflow <= 400; subflow++) {
      const socket = await join(session, subflow).catch(() => undefined);
      if (socket) joined++;
      socket?.destroy();
    }
    assert.ok(joined < 300, `${joined} joined`);
    const written = hawser.remote.logText().length - before;
    assert.ok(written < 30_000, `${written} bytes of log`);
    assert.ok((await hawser.status()).session.paths.every(({ state }) => state === "up"));
  });
});
