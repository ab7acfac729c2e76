/**
 * Checks what Hawser promises of two ADSL lines, against plain TCP over each of them in the same run. The margins are
 * wide, for machines that do other work meanwhile. The printed figures hold for the bars of the README.
 */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { LINES } from "../demo/stage.ts";
import { tearDown } from "../lab/cleanup.ts";
import { measureLines } from "../lab/direct.ts";
import { Hawser, SOCKS_PORT } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, firstByte, type RunningOrigin, startOrigin, upload } from "../lab/traffic/run.ts";

const SECONDS = 5;
const SKIP_MS = 1_000;

suite("two ADSL lines", { skip: labMissing() ?? false }, () => {
  let house: House;
  let hawser: Hawser;
  let origin: RunningOrigin;
  let sumDown = 0;
  let sumUp = 0;
  let directFirstByteMs = 0;

  before(async () => {
    house = await House.create({ lines: LINES });
    origin = await startOrigin(house.origin);
    const lines = await measureLines(house, origin.port, { seconds: SECONDS, skipMs: SKIP_MS });
    sumDown = lines.reduce((sum, { downBps }) => sum + downBps, 0);
    sumUp = lines.reduce((sum, { upBps }) => sum + upBps, 0);
    directFirstByteMs = Math.min(...lines.map(({ firstByteMs }) => firstByteMs.p50));
    hawser = await Hawser.start(house);
  });

  after(() => tearDown(hawser, house));

  const target = (family: "v4" | "v6" = "v4") => ({
    host: house.addresses.origin[family],
    port: origin.port,
  });
  const timed = { seconds: SECONDS, skipMs: SKIP_MS };

  test("first byte of a new connection, idle: well before a direct one's", async (t) => {
    const { p50 } = await firstByte(house.lan, { ...target(), count: 20 });
    t.diagnostic(
      `${p50.toFixed(1)} ms of ${directFirstByteMs.toFixed(1)}: ${(p50 / directFirstByteMs).toFixed(3)}`,
    );
    assert.ok(p50 / directFirstByteMs <= 0.85);
  });

  for (const family of ["v4", "v6"] as const) {
    test(`one download, ${family}: the sum of the lines`, async (t) => {
      const { goodputBps } = await download(house.lan, { ...target(family), ...timed });
      t.diagnostic(
        `${(goodputBps / 1e6).toFixed(2)} Mbit/s, ${(goodputBps / sumDown).toFixed(3)} of the sum`,
      );
      assert.ok(goodputBps / sumDown >= 0.88);
    });
  }

  test("one download through SOCKS5: the sum of the lines", async (t) => {
    const socks = { host: house.addresses.lan.router.v4, port: SOCKS_PORT };
    const { goodputBps } = await download(house.lan, { ...target(), ...timed, socks });
    t.diagnostic(`${(goodputBps / 1e6).toFixed(2)} Mbit/s, ${(goodputBps / sumDown).toFixed(3)} of the sum`);
    assert.ok(goodputBps / sumDown >= 0.88);
  });

  for (const family of ["v4", "v6"] as const) {
    test(`one upload, ${family}: the sum of the lines`, async (t) => {
      // A number of bytes, not of seconds: what an aborted sender has written goes on for long.
      const { goodputBps } = await upload(house.lan, { ...target(family), bytes: 1.1e6, skipMs: SKIP_MS });
      t.diagnostic(`${(goodputBps / 1e6).toFixed(2)} Mbit/s, ${(goodputBps / sumUp).toFixed(3)} of the sum`);
      assert.ok(goodputBps / sumUp >= 0.88);
    });
  }
});
