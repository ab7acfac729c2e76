import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { CodedError, formatIdentity, generateSecret } from "@hawser/shared-protocol/node";
import { loadRemoteConfig } from "./config.ts";

const directory = mkdtempSync(join(tmpdir(), "hawser-remote-"));
after(() => rmSync(directory, { recursive: true }));

const file = join(directory, "remote.toml");
const identity = generateSecret();
const key = generateSecret().revealBase64url();
writeFileSync(join(directory, "identity.pem"), formatIdentity(identity), { mode: 0o600 });
writeFileSync(file, "", { mode: 0o600 });

function findings(text: string): string[] {
  writeFileSync(file, text);
  try {
    loadRemoteConfig(file);
  } catch (error) {
    assert.ok(error instanceof CodedError);
    assert.equal(error.exitCode, 2);
    return error.message.replaceAll(`${directory}/`, "").split("\n");
  }
  return [];
}

test("the least that is needed, and its defaults", () => {
  writeFileSync(file, 'listen = ["0.0.0.0:4433"]\n');
  const config = loadRemoteConfig(file);
  assert.ok(config.identity.equals(identity));
  assert.deepEqual(
    { ...config, identity: undefined },
    {
      listen: [{ host: "0.0.0.0", port: 4433 }],
      advertise: [],
      identity: undefined,
      peers: [],
      status: { listen: { host: "127.0.0.1", port: 8081 } },
      limits: { memoryBytes: 268_435_456, drainSeconds: 10 },
    },
  );
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.listen));
});

test("what is wrong is told by its key", () => {
  const listen = 'listen = ["0.0.0.0:4433"]\n';
  const peer = `[[peer]]\nname = "home"\nkey = "${key}"\n`;
  const golden: [string, string[]][] = [
    ["", ["remote.toml: listen: is required (an array)"]],
    ["listen = []\n", ["remote.toml: listen: needs at least 1"]],
    [
      'lisen = ["0.0.0.0:4433"]\n',
      [
        "remote.toml: listen: is required (an array)",
        'remote.toml: lisen: unknown key; did you mean "listen"?',
      ],
    ],
    [
      `${listen}${peer}${peer}`,
      ['remote.toml: peer[1].name: "home" is the name of an earlier one already (number 1)'],
    ],
    [
      `${listen}[[peer]]\nname = "home"\nkey = "${key.slice(1)}"\n`,
      ["remote.toml: peer[0].key: is not 32 bytes of base64url (43 characters A-Z a-z 0-9 - _)"],
    ],
    [
      `${listen}${peer}old_key = "${key}"\n`,
      ["remote.toml: peer[0]: needs both old_key and old_key_until, or neither"],
    ],
    [
      `${listen}${peer}old_key = "${key}"\nold_key_until = 2026-01-01T00:00:00\n`,
      ["remote.toml: peer[0].old_key_until: needs a time zone, such as Z at its end"],
    ],
    [
      `${listen}${peer}old_key = "${key}"\nold_key_until = "tomorrow"\n`,
      ["remote.toml: peer[0].old_key_until: expected a date and time, found a string"],
    ],
    [`${listen}identity = "other.pem"\n`, ["other.pem: does not exist; create it, or name another file"]],
  ];
  for (const [text, expected] of golden) assert.deepEqual(findings(text), expected);
});

test("a file with keys must be its owner's alone", () => {
  const text = `listen = ["0.0.0.0:4433"]\n[[peer]]\nname = "home"\nkey = "${key}"\n`;
  chmodSync(file, 0o640);
  assert.match(findings(text)[0] ?? "", /^remote\.toml: peer: holds a secret, .*; run: chmod 600 /);
  chmodSync(file, 0o600);
  assert.deepEqual(findings(text), []);
});

test("keys and the identity do not show", () => {
  writeFileSync(file, `listen = ["0.0.0.0:4433"]\n[[peer]]\nname = "home"\nkey = "${key}"\n`);
  const config = loadRemoteConfig(file);
  const shown = inspect(config, { depth: 9 }) + JSON.stringify(config);
  assert.ok(!shown.includes(key) && !shown.includes(identity.revealBase64url()));
});

test("the example is right", () => {
  writeFileSync(file, readFileSync(new URL("../../../deploy/remote.example.toml", import.meta.url)));
  const { listen, advertise } = loadRemoteConfig(file);
  assert.equal(listen.length, 2);
  assert.deepEqual(advertise, [{ host: "vps.example", port: 4433 }]);
});
