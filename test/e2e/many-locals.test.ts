import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { LocalGateway, loadLocalConfig } from "@hawser/gateway-local/testing";
import {
  addPeer,
  initConfig,
  loadRemoteConfig,
  RemoteGateway,
  removePeer,
  rotateKey,
} from "@hawser/gateway-remote/testing";
import type { Logger } from "pino";
import { freePort } from "../demo/forwarder.ts";
import { until } from "../lab/hawser.ts";

const LOCALS = 12;
const NOW = AbortSignal.abort();

/** The gateways themselves, on loopback: one remote gateway and many local ones. */
describe("many local gateways at one remote", { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-many-"));
  const file = join(folder, "remote.toml");
  const names = Array.from({ length: LOCALS }, (_, i) => `home${i}`);
  const locals = new Map<string, LocalGateway>();
  let remote: RemoteGateway;
  before(async () => {
    const logger: Logger = createLogger({ role: "remote", name: "test", level: "silent" });
    initConfig(file, { listen: { host: "127.0.0.1", port: await freePort() }, advertise: [] });
    const lines = new Map(names.map((name) => [name, addPeer(file, name).line]));
    remote = new RemoteGateway(loadRemoteConfig(file), logger);
    await remote.start();
    for (const [name, line] of lines) {
      const local = new LocalGateway(loadLocalConfig(writeLocal(name, line)), logger);
      locals.set(name, local);
      await local.start();
    }
    await until(async () => present().length === LOCALS);
  });
  after(async () => {
    await Promise.all([...locals.values()].map((local) => local.stop(0, NOW)));
    await remote.stop(0, NOW);
    rmSync(folder, { recursive: true });
  });

  function writeLocal(name: string, line: string): string {
    const config = join(folder, `${name}.toml`);
    const path = '[[path]]\nname = "line"\nsource = "127.0.0.1"\n';
    writeFileSync(config, `remote = "${line}"\n${path}`, { mode: 0o600 });
    return config;
  }

  /** The peers with a session that has a subflow. */
  function present(): string[] {
    const live = [...remote.sessions.all].filter(({ driver }) => driver.connections.size > 0);
    return live.map(({ peer }) => peer).sort();
  }

  function sessionOf(name: string): string | undefined {
    return locals.get(name)?.keeper.id.toString("hex");
  }

  test("each has a session of its own", () => {
    assert.deepEqual(present(), names.toSorted());
    assert.equal(new Set(names.map(sessionOf)).size, LOCALS);
  });

  test("removing one peer and rotating another's key does not disturb the rest", async () => {
    const [removed = "", rotated = "", ...others] = names;
    const before = [rotated, ...others].map(sessionOf);
    removePeer(file, removed);
    const { line } = rotateKey(file, rotated, 60_000);
    remote.reload(loadRemoteConfig(file));
    await until(async () => !present().includes(removed));
    await locals.get(rotated)?.reload(loadLocalConfig(writeLocal(rotated, line)));
    assert.deepEqual(present(), [rotated, ...others].toSorted());
    assert.deepEqual([rotated, ...others].map(sessionOf), before);
    // The remote gateway has dropped the old key by itself. Dropping it from the file is the command's task.
    assert.equal([...remote.sessions.all].find(({ peer }) => peer === rotated)?.key.until, undefined);
  });
});
