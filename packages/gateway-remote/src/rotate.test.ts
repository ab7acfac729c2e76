import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { type Pairing, parsePairing, pskIdentity } from "@hawser/shared-protocol";
import { loadRemoteConfig } from "./config.ts";
import { initConfig } from "./init.ts";
import { type PeerKey, PeerKeys } from "./peer-keys.ts";
import { addPeer, dropOldKey, type PairingLine, removePeer, rotateKey } from "./peers.ts";

const HOUR_MS = 3_600_000;
const root = mkdtempSync(join(tmpdir(), "hawser-rotate-"));
after(() => rmSync(root, { recursive: true }));

let file = "";
let home = "";
beforeEach(() => {
  file = join(mkdtempSync(join(root, "x-")), "remote.toml");
  home = join(file, "../peers/home.toml");
  initConfig(file, { listen: { host: "127.0.0.1", port: 4433 }, advertise: [] });
});

function pairingOf({ line }: PairingLine): Pairing {
  const pairing = parsePairing(line);
  assert.ok(pairing.ok);
  return pairing.value;
}

/** The key by which the gateway admits the holder of a pairing line. */
function admitted({ name, psk }: Pairing): PeerKey | undefined {
  return new PeerKeys(loadRemoteConfig(file)).find(pskIdentity(name, psk));
}

test("both lines are good after a rotation, the old one until its time", () => {
  const before = pairingOf(addPeer(file, "home"));
  const started = Date.now();
  const now = pairingOf(rotateKey(file, "home", HOUR_MS));
  assert.equal(now.name, "home");
  assert.ok(!now.psk.equals(before.psk));
  assert.equal(admitted(now)?.until, undefined);
  assert.ok(admitted(now)?.psk.equals(now.psk));
  const until = admitted(before)?.until ?? 0;
  assert.ok(until >= started + HOUR_MS && until <= Date.now() + HOUR_MS + 1_000);
});

test("a rotation leaves limits, comments, mode and other peers as they were", async () => {
  addPeer(file, "home");
  const lake = pairingOf(addPeer(file, "lake"));
  const limits = 'allow = [ "public", "127.0.0.1:5432" ]\nmax_flows = 100\nmax_bytes_in_flight = "8MiB"\n';
  const text = `${readFileSync(home, "utf8")}# ours\n${limits}  # more`;
  writeFileSync(home, text);
  const before = pairingOf(rotateKey(file, "home", HOUR_MS));
  const rotating = readFileSync(home, "utf8");
  assert.match(rotating, /^# ours\n {2}# more\nkey = ".*"\nold_key = ".*"\nold_key_until = .*Z\nallow = /);
  assert.ok(rotating.endsWith(limits));
  await dropOldKey(file, admitted(before) as PeerKey);
  assert.match(readFileSync(home, "utf8"), /^# ours\n {2}# more\nkey = ".*"\nallow = /);
  assert.ok(readFileSync(home, "utf8").endsWith(limits));
  assert.ok(admitted(lake) && admitted(before));
});

test("after a second rotation the line that is in use stays good, and the line that was never used does not", () => {
  const used = pairingOf(addPeer(file, "home"));
  const lost = pairingOf(rotateKey(file, "home", HOUR_MS));
  const last = pairingOf(rotateKey(file, "home", HOUR_MS));
  assert.ok(admitted(used) && admitted(last));
  assert.equal(admitted(lost), undefined);
});

test("after the old key's time a rotation makes the present key the old one", () => {
  addPeer(file, "home");
  const present = pairingOf(rotateKey(file, "home", HOUR_MS));
  const text = readFileSync(home, "utf8");
  writeFileSync(home, text.replace(/old_key_until = .*/, "old_key_until = 2020-01-01T00:00:00Z"));
  rotateKey(file, "home", HOUR_MS);
  assert.notEqual(admitted(present)?.until, undefined);
});

test("without grace the old line is void at once", () => {
  const before = pairingOf(addPeer(file, "home"));
  const now = pairingOf(rotateKey(file, "home", 0));
  assert.equal(admitted(before), undefined);
  assert.ok(admitted(now));
  assert.doesNotMatch(readFileSync(home, "utf8"), /old_key/);
});

test("an old key is not dropped for a key that the file no longer has", async () => {
  addPeer(file, "home");
  const first = admitted(pairingOf(rotateKey(file, "home", HOUR_MS))) as PeerKey;
  rotateKey(file, "home", HOUR_MS);
  const text = readFileSync(home, "utf8");
  await dropOldKey(file, first);
  assert.equal(readFileSync(home, "utf8"), text);
  removePeer(file, "home");
  await dropOldKey(file, first);
  assert.equal(existsSync(home), false);
});

test("a refused rotation leaves the file as it was", () => {
  addPeer(file, "home");
  assert.throws(() => rotateKey(file, "hoem", HOUR_MS), { code: "PEER_UNKNOWN", message: /mean "home"/ });
  const text = readFileSync(home, "utf8");
  for (const [damaged, code] of [
    [`name = "x"\n${text}`, "CONFIG_INVALID"],
    [`${text}"`, "CONFIG_SYNTAX"],
  ] as const) {
    writeFileSync(home, damaged);
    assert.throws(() => rotateKey(file, "home", HOUR_MS), { code });
    assert.equal(readFileSync(home, "utf8"), damaged);
  }
  writeFileSync(home, text);
  chmodSync(home, 0o640);
  assert.throws(() => rotateKey(file, "home", HOUR_MS), { code: "SECRET_EXPOSED", message: /chmod 600/ });
  assert.equal(readFileSync(home, "utf8"), text);
});
