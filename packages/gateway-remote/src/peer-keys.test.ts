import assert from "node:assert/strict";
import { test } from "node:test";
import { derivePsk, generateSecret, pskIdentity, type Secret } from "@hawser/shared-protocol";
import type { RemoteConfig } from "./config.ts";
import type { PeerConfig } from "./peer-file.ts";
import { PeerKeys } from "./peer-keys.ts";

const identity = generateSecret();
const [keyA, keyB, keyC] = [generateSecret(), generateSecret(), generateSecret()];

function config(...peer: Pick<PeerConfig, "name" | "key" | "old_key" | "old_key_until">[]): RemoteConfig {
  return { identity, peers: peer } as unknown as RemoteConfig;
}

/** The PSK identity that the holder of this key claims. */
function claim(name: string, key: Secret): string {
  return pskIdentity(name, derivePsk(identity, key, name));
}

function inAnHour(): Date {
  return new Date(Date.now() + 3_600_000);
}

test("every peer has its own key, and no other identity is known", () => {
  const keys = new PeerKeys(config({ name: "home", key: keyA }, { name: "lake", key: keyB }));
  for (const [name, key] of [
    ["home", keyA],
    ["lake", keyB],
  ] as const) {
    const psk = derivePsk(identity, key, name);
    for (const claimed of [name, claim(name, key)]) {
      assert.equal(keys.find(claimed)?.peer, name);
      assert.ok(keys.find(claimed)?.psk.equals(psk));
    }
  }
  for (const stranger of [claim("home", keyB), claim("lake", keyA), "office", "home~", "", "~"])
    assert.equal(keys.find(stranger), undefined, stranger);
  assert.equal(keys.isRotating, false);
});

test("during a rotation both keys are good, and the bare name stands for the new one", () => {
  const keys = new PeerKeys(config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }));
  assert.ok(keys.isRotating);
  assert.ok(keys.find(claim("home", keyA))?.psk.equals(derivePsk(identity, keyA, "home")));
  assert.ok(keys.find("home")?.psk.equals(derivePsk(identity, keyB, "home")));
});

test("the peer's first use of the new key ends the old one, even if the file still has it", () => {
  const rotating = config(
    { name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() },
    { name: "lake", key: keyB, old_key: keyA, old_key_until: inAnHour() },
  );
  const keys = new PeerKeys(rotating);
  const old = keys.find(claim("home", keyA));
  assert.ok(old && keys.recheck(old));
  assert.equal(keys.retireOldKey("home"), true);
  assert.equal(keys.retireOldKey("home"), false);
  keys.handleConfig(rotating);
  assert.equal(keys.find(claim("home", keyA)), undefined);
  assert.equal(keys.recheck(old), undefined);
  assert.ok(keys.find(claim("lake", keyA)), "another peer's old key is its own matter");
});

test("an old key ends at its time", () => {
  const until = new Date(Date.now() - 1);
  const keys = new PeerKeys(config({ name: "home", key: keyB, old_key: keyA, old_key_until: until }));
  assert.equal(keys.find(claim("home", keyA)), undefined);
  assert.equal(keys.retireOldKey("home"), false);
});

test("a key that was found is looked up again: it may be removed, replaced or expired", () => {
  const keys = new PeerKeys(config({ name: "home", key: keyA }));
  const found = keys.find("home");
  assert.ok(found);
  keys.handleConfig(config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }));
  assert.notEqual(keys.recheck(found)?.until, undefined);
  keys.handleConfig(config({ name: "home", key: keyC }));
  assert.equal(keys.recheck(found), undefined);
  keys.handleConfig(config());
  assert.equal(keys.recheck(found), undefined);
});

test("an old key that the user puts back is good again", () => {
  const keys = new PeerKeys(config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }));
  keys.retireOldKey("home");
  keys.handleConfig(config({ name: "home", key: keyA }));
  assert.ok(keys.find(claim("home", keyA)));
});
