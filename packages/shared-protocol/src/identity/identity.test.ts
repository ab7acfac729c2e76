import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { deriveConnectToken, derivePsk, pskIdentity } from "./derive.ts";
import { formatIdentity, generateSecret, parseIdentity, parseSecretText } from "./identity.ts";
import { formatPairing, parsePairing } from "./pairing.ts";
import { Secret } from "./secret.ts";

test("a secret shows itself only when asked", () => {
  const secret = Secret.fromText("hush");
  for (const text of [
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    inspect(secret, { customInspect: false, showHidden: true }),
    `${String(secret)}`,
    JSON.stringify(Object.entries(secret)),
  ]) {
    assert.ok(!text.includes("hush") && !text.includes("68 75 73 68"), text);
  }
  assert.equal(secret.reveal().toString(), "hush");
  secret.reveal().fill(0);
  assert.ok(secret.equals("hush") && secret.equals(Secret.fromText("hush")));
  assert.ok(!secret.equals("hus") && !secret.equals(""));
});

test("an identity file, there and back", () => {
  const identity = generateSecret();
  const text = formatIdentity(identity);
  assert.match(
    text,
    /^-----BEGIN HAWSER IDENTITY-----\n[A-Za-z0-9+/]{43}=\n-----END HAWSER IDENTITY-----\n$/,
  );
  for (const damaged of ["", "x", text.replace("END", "FIN"), text.replace("=", "")]) {
    assert.ok(!parseIdentity(damaged).ok, damaged);
  }
  assert.ok(parseIdentity(text.replaceAll("\n", "\r\n")).ok);
});

test("the derivation is fixed: changing it would lock every peer out", () => {
  const identity = Secret.fromBytes(Buffer.alloc(32, 1));
  const key = Secret.fromBytes(Buffer.alloc(32, 2));
  const psk = derivePsk(identity, key, "home");
  assert.equal(psk.revealBase64url(), "R-d98CjuRkXYk5pmIdYItKtmNCFHa0TcuMlZbcN23qo");
  assert.equal(deriveConnectToken(psk), "MubJfii7m5pn2qHbBzJ7ighf6lXHPbIbuhMzFNoTC9w");
  assert.ok(!derivePsk(identity, key, "away").equals(psk));
  assert.ok(!derivePsk(identity, Secret.fromBytes(Buffer.alloc(32, 3)), "home").equals(psk));
});

test("a pairing line, there and back", () => {
  const psk = generateSecret();
  const endpoints = [
    { host: "203.0.113.7", port: 4433 },
    { host: "2001:db8::7", port: 443 },
    { host: "vps.example", port: 4433 },
  ];
  const line = formatPairing({ name: "home", psk, endpoints });
  assert.equal(
    line,
    `hawser://home:${psk.revealBase64url()}@203.0.113.7:4433,[2001:db8::7]:443,vps.example:4433`,
  );
  const back = parsePairing(`  ${line}\n`);
  assert.ok(back.ok);
  assert.equal(back.value.name, "home");
  assert.deepEqual(back.value.endpoints, endpoints);
  assert.ok(back.value.psk.equals(psk));
  assert.ok(!JSON.stringify(back.value).includes(psk.revealBase64url()));
});

test("the fault of a pairing line is reported without the secret", () => {
  const secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";
  const golden: [string, string][] = [
    ["", "is empty; a pairing line begins with hawser://"],
    [`https://home:${secret}@h:1`, "is not a pairing line: it does not begin with hawser://"],
    [`hawser://home:${secret}`, 'is cut off: it has no "@" before the endpoints'],
    [`hawser://${secret}@h:1`, 'has no ":" between the name and the key'],
    [`hawser://a b:${secret}@h:1`, "is not one pairing line: it has a space or a line break in it"],
    [`hawser://:${secret}@h:1`, "has no valid name before the key (1 to 64 of A-Z a-z 0-9 . _ -)"],
    [
      `hawser://home:${secret.slice(1)}@h:1`,
      "has a damaged key: it is not 32 bytes of base64url (43 characters A-Z a-z 0-9 - _)",
    ],
    [`hawser://home:${secret}@`, "endpoint 1 is not HOST:PORT or [IPV6]:PORT"],
    [`hawser://home:${secret}@h:1,${secret}`, "endpoint 2 is not HOST:PORT or [IPV6]:PORT"],
    [`hawser://home:${secret}@h:1,`, "endpoint 2 is not HOST:PORT or [IPV6]:PORT"],
  ];
  for (const [line, problem] of golden) assert.deepEqual(parsePairing(line), { ok: false, problem });
  assert.ok(!parseSecretText(`${secret}=`).ok);
});

test("a PSK identity names the peer and the key, and is the same on every machine (SPEC.md, section 2)", () => {
  const psk = Secret.fromBytes(
    Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex"),
  );
  // openssl kdf -keylen 6 -kdfopt digest:SHA256 -kdfopt hexkey:0001..1e1f -kdfopt info:'hawser/1 key id' HKDF
  assert.equal(pskIdentity("home", psk), "home~DKgHHAdc");
  assert.notEqual(pskIdentity("home", generateSecret()), pskIdentity("home", psk));
});
