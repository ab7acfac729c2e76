import assert from "node:assert/strict";
import { test } from "node:test";
import { derivePsk, generateSecret, pskIdentity, type Secret } from "@hawser/shared-protocol/node";
import { Admission } from "./admission.ts";
import type { PeerConfig, RemoteConfig } from "./config.ts";

const identity = generateSecret();
const [keyA, keyB, keyC] = [generateSecret(), generateSecret(), generateSecret()];

function config(...peer: PeerConfig[]): RemoteConfig {
  return { identity, peers: peer } as unknown as RemoteConfig;
}

/** The PSK identity under which a holder of this key comes. */
function claim(name: string, key: Secret): string {
  return pskIdentity(name, derivePsk(identity, key, name));
}

function inAnHour(): Date {
  return new Date(Date.now() + 3_600_000);
}

test("every peer has its own key; nobody else is known", () => {
  const admission = new Admission(config({ name: "home", key: keyA }, { name: "lake", key: keyB }));
  for (const [name, key] of [
    ["home", keyA],
    ["lake", keyB],
  ] as const) {
    const psk = derivePsk(identity, key, name);
    for (const claimed of [name, claim(name, key)]) {
      assert.equal(admission.find(claimed)?.peer, name);
      assert.ok(admission.find(claimed)?.psk.equals(psk));
    }
  }
  for (const stranger of [claim("home", keyB), claim("lake", keyA), "office", "home~", "", "~"])
    assert.equal(admission.find(stranger), undefined, stranger);
  assert.equal(admission.isRotating, false);
});

test("while a key is rotated both are good, and the bare name is the new one", () => {
  const admission = new Admission(
    config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }),
  );
  assert.ok(admission.isRotating);
  assert.ok(admission.find(claim("home", keyA))?.psk.equals(derivePsk(identity, keyA, "home")));
  assert.ok(admission.find("home")?.psk.equals(derivePsk(identity, keyB, "home")));
});

test("the peer's first use of the new key retires the old one, even if the file has it still", () => {
  const rotating = config(
    { name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() },
    { name: "lake", key: keyB, old_key: keyA, old_key_until: inAnHour() },
  );
  const admission = new Admission(rotating);
  const old = admission.find(claim("home", keyA));
  assert.ok(old && admission.renew(old));
  assert.equal(admission.retireOldKey("home"), true);
  assert.equal(admission.retireOldKey("home"), false);
  admission.handleConfig(rotating);
  assert.equal(admission.find(claim("home", keyA)), undefined);
  assert.equal(admission.renew(old), undefined);
  assert.ok(admission.find(claim("lake", keyA)), "another peer's old key is its own matter");
});

test("an old key ends at its time", () => {
  const until = new Date(Date.now() - 1);
  const admission = new Admission(config({ name: "home", key: keyB, old_key: keyA, old_key_until: until }));
  assert.equal(admission.find(claim("home", keyA)), undefined);
  assert.equal(admission.retireOldKey("home"), false);
});

test("what was found is asked again: removed, replaced, and grown old", () => {
  const admission = new Admission(config({ name: "home", key: keyA }));
  const found = admission.find("home");
  assert.ok(found);
  admission.handleConfig(config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }));
  assert.notEqual(admission.renew(found)?.until, undefined);
  admission.handleConfig(config({ name: "home", key: keyC }));
  assert.equal(admission.renew(found), undefined);
  admission.handleConfig(config());
  assert.equal(admission.renew(found), undefined);
});

test("an old key that is put back by hand is good again", () => {
  const admission = new Admission(
    config({ name: "home", key: keyB, old_key: keyA, old_key_until: inAnHour() }),
  );
  admission.retireOldKey("home");
  admission.handleConfig(config({ name: "home", key: keyA }));
  assert.ok(admission.find(claim("home", keyA)));
});
