import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { House } from "./house.ts";
import { labMissing } from "./requirements.ts";
import { download, firstByte, ORIGIN_PORT, startOrigin, upload } from "./traffic/run.ts";

const FAMILIES = ["v4", "v6"] as const;
const RATE = 20e6;

describe("a provider", { skip: labMissing("conntrack", "tc", "openssl") ?? false, timeout: 120_000 }, () => {
  let house: House;
  const target = (number: number, family: "v4" | "v6" = "v4") => ({
    host: house.addresses.direct(number)[family],
    port: ORIGIN_PORT,
  });

  before(async () => {
    const line = { down: RATE, up: 8e6, delayMs: 5, queueMs: 100 };
    house = await House.create({
      lines: [
        { name: "dsl", provider: "telco", ...line },
        { name: "lte1", provider: "tower", ...line },
        { name: "lte2", provider: "tower", ...line },
      ],
      congestion: "cubic",
    });
    await startOrigin(house.origin);
  });
  after(() => house.close());

  test("a provider's lines carry as other lines do, each with a public address of its own", async () => {
    for (const { number } of house.lines) {
      for (const family of FAMILIES) {
        assert.ok((await download(house.lan, { ...target(number, family), bytes: 300_000 })).complete);
        assert.ok((await upload(house.lan, { ...target(number, family), bytes: 300_000 })).complete);
      }
    }
  });

  test("an MTU hole swallows full packets of both families and lets small ones through", async () => {
    const telco = house.provider("telco");
    await telco.setHole(1420);
    for (const family of FAMILIES) {
      const { failed } = await firstByte(house.lan, { ...target(1, family), count: 3, timeoutMs: 1_000 });
      assert.equal(failed, 0, family);
      const { bytes } = await download(house.lan, { ...target(1, family), seconds: 2 });
      assert.ok(bytes < 1_500, `${family}: ${bytes} bytes`);
    }
    await telco.setHole(undefined);
    for (const family of FAMILIES)
      assert.ok((await download(house.lan, { ...target(1, family), bytes: 300_000 })).complete, family);
  });

  test("old connections are slowed down, and fresh ones are not", async () => {
    const telco = house.provider("telco");
    await telco.setDecay({ afterBytes: 4e6, bps: 1e6 });
    const fresh = await download(house.lan, { ...target(1), bytes: 3e6 });
    const old = await download(house.lan, { ...target(1), seconds: 6, skipMs: 4_000 });
    await telco.setDecay(undefined);
    assert.ok(fresh.goodputBps > 0.5 * RATE, `fresh: ${fresh.goodputBps}`);
    assert.ok(old.goodputBps < 1.2e6, `old: ${old.goodputBps}`);
  });

  for (const kind of ["redirect", "silent", "tls"] as const) {
    test(`a portal (${kind}) takes over all connections of its lines, and lets them go again`, async () => {
      const tower = house.provider("tower");
      await tower.startPortal(kind);
      const request = ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "1"];
      const scheme = kind === "tls" ? "https" : "http";
      const url = `${scheme}://${house.addresses.direct(2).v4}/`;
      const { stdout } = await house.lan.exec("sh", ["-c", `curl ${request.join(" ")} ${url} || true`]);
      assert.equal(stdout, kind === "silent" ? "000" : "302");
      await tower.endPortal();
      assert.ok((await download(house.lan, { ...target(2), bytes: 300_000 })).complete);
    });
  }

  test("lines of one tower share its uplink", async () => {
    const tower = house.provider("tower");
    await tower.setUplink({ down: RATE, up: 8e6, queueMs: 100 }, house.remote);
    const both = await Promise.all(
      [2, 3].map((number) => download(house.lan, { ...target(number), seconds: 4, skipMs: 1_000 })),
    );
    const sum = both.reduce((total, { goodputBps }) => total + goodputBps, 0);
    assert.ok(sum > 0.8 * RATE && sum < 1.05 * RATE, `${sum}`);
  });
});
