import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { type Pairing, parsePairing, pskIdentity } from "@hawser/shared-protocol";
import { loadRemoteConfig } from "./config.ts";
import { type PeerKey, PeerKeys } from "./peer-keys.ts";
import { addPeer, dropOldKey, initConfig, type PairingLine, rotateKey } from "./peers.ts";

const HOUR_MS = 3_600_000;
const root = mkdtempSync(join(tmpdir(), "hawser-rotate-"));
after(() => rmSync(root, { recursive: true }));

let file = "";
beforeEach(() => {
  file = join(mkdtempSync(join(root, "x-")), "remote.toml");
  initConfig(file, { listen: { host: "127.0.0.1", port: 4433 }, advertise: [] });
});

function pairingOf({ line }: PairingLine): Pairing {
  const pairing = parsePairing(line);
  assert.ok(pairing.ok);
  return pairing.value;
}

/** What the gateway makes of the file for the holder of a pairing line. */
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

test("a rotation leaves the rest of the file, comments and other peers, as they were", async () => {
  addPeer(file, "home");
  const lake = pairingOf(addPeer(file, "lake"));
  const text = `# mine\n${readFileSync(file, "utf8").replace("[[peer]]", "# ours\n[[ peer ]] # first")}# end`;
  writeFileSync(file, text);
  const home = pairingOf(rotateKey(file, "home", HOUR_MS));
  const written = admitted(home) as PeerKey;
  await dropOldKey(file, written);
  const keys = /^key = ".*"$/m;
  assert.equal(readFileSync(file, "utf8").replace(keys, "KEY"), text.replace(keys, "KEY"));
  assert.ok(admitted(lake) && admitted(home));
});

test("rotated again before the new line was used: the one in use stays good, the lost one does not", () => {
  const used = pairingOf(addPeer(file, "home"));
  const lost = pairingOf(rotateKey(file, "home", HOUR_MS));
  const last = pairingOf(rotateKey(file, "home", HOUR_MS));
  assert.ok(admitted(used) && admitted(last));
  assert.equal(admitted(lost), undefined);
});

test("rotated again after the old key's time: the present key becomes the old one", () => {
  addPeer(file, "home");
  const present = pairingOf(rotateKey(file, "home", HOUR_MS));
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/old_key_until = .*/, "old_key_until = 2020-01-01T00:00:00Z"));
  rotateKey(file, "home", HOUR_MS);
  assert.notEqual(admitted(present)?.until, undefined);
});

test("without grace the old line is not good any more", () => {
  const before = pairingOf(addPeer(file, "home"));
  const now = pairingOf(rotateKey(file, "home", 0));
  assert.equal(admitted(before), undefined);
  assert.ok(admitted(now));
  assert.doesNotMatch(readFileSync(file, "utf8"), /old_key/);
});

test("an old key is not dropped for a key that the file no longer has", async () => {
  addPeer(file, "home");
  const first = admitted(pairingOf(rotateKey(file, "home", HOUR_MS))) as PeerKey;
  rotateKey(file, "home", HOUR_MS);
  const text = readFileSync(file, "utf8");
  await dropOldKey(file, first);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("what rotate refuses leaves the file as it was", () => {
  addPeer(file, "home");
  const text = readFileSync(file, "utf8");
  assert.throws(() => rotateKey(file, "hoem", HOUR_MS), { code: "PEER_UNKNOWN", message: /mean "home"/ });
  assert.equal(readFileSync(file, "utf8"), text);
  const dotted = text.replace('key = "', 'name2 = "x"\nkey = "');
  writeFileSync(file, dotted);
  assert.throws(() => rotateKey(file, "home", HOUR_MS), { code: "CONFIG_INVALID" });
  const inline = text.replace(
    /\[\[peer\]\]\nname = (.*)\nkey = (.*)/,
    "[[peer]]\n'name' = $1\n\"\\u006bey\" = $2",
  );
  writeFileSync(file, inline);
  assert.throws(() => rotateKey(file, "home", HOUR_MS), { code: "CONFIG_UNWRITABLE" });
  assert.equal(readFileSync(file, "utf8"), inline);
});
