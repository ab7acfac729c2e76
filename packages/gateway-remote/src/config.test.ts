import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { CodedError } from "@hawser/gateway-kit/config";
import { formatIdentity, generateSecret } from "@hawser/shared-protocol";
import { loadRemoteConfig, parseRemoteFile } from "./config.ts";

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
    return error.message
      .replaceAll(`${directory}/`, "")
      .replaceAll(/ \(line \d+\)$/gm, "")
      .split("\n");
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
      problems: [],
      egress: { allow: [{ text: "public", range: "public", ports: [1, 65_535] }], deny: [] },
      status: { listen: { host: "127.0.0.1", port: 8081 }, token: undefined },
      limits: { memoryBytes: 268_435_456, drainSeconds: 10 },
    },
  );
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.listen));
});

test("each fault is reported with its key", () => {
  const listen = 'listen = ["0.0.0.0:4433"]\n';
  const peer = `[[peer]]\nname = "home"\nkey = "${key}"\n`;
  const golden: [string, string[]][] = [
    ["", ["remote.toml: listen: is required (a string or an array)"]],
    ["listen = []\n", ["remote.toml: listen: needs at least 1"]],
    [
      'lisen = ["0.0.0.0:4433"]\n',
      [
        "remote.toml: listen: is required (a string or an array)",
        'remote.toml: lisen: unknown key; did you mean "listen"?',
      ],
    ],
    [
      `${listen}${peer}${peer}`,
      ['remote.toml: peer[1].name: "home" is the name of an earlier one already (peer[0])'],
    ],
    [
      `${listen}[[peer]]\nname = "home"\nkey = "${key.slice(1)}"\n`,
      ["remote.toml: peer[0].key: is not 32 bytes of base64url (43 characters A-Z a-z 0-9 - _)"],
    ],
    [
      `${listen}[egress]\nallow = ["*"]\ndeny = ["*:0"]\n`,
      [
        'remote.toml: egress.allow[0]: "*" would allow this machine\'s own localhost, too; write "public", or "0.0.0.0/0" and "[::/0]" if that is what you want',
        'remote.toml: egress.deny[0]: "*:0": "0" is no port from 1 to 65535, nor two such with a "-"',
      ],
    ],
    [
      `${listen}${peer}alow = []\n${peer.replace("home", "lake")}max_flows = 0\nmax_bytes_in_flight = "1KiB"\n`,
      [
        'remote.toml: peer[0].alow: unknown key; did you mean "allow"?',
        "remote.toml: peer[1].max_flows: must be at least 1",
        "remote.toml: peer[1].max_bytes_in_flight: must be at least 1048576 bytes",
      ],
    ],
    [
      `${listen}[status]\nlisten = "0.0.0.0:8081"\n`,
      [
        'remote.toml: status.listen: 0.0.0.0:8081 can be reached by others, who need a token: add token = { file = "status-token.txt" } (openssl rand -base64 24 makes one), or listen on 127.0.0.1:8081',
      ],
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
    [
      `${listen}identity = "other.pem"\n`,
      [
        "remote.toml: identity: other.pem: does not exist; restore it from a backup, since every pairing line was made with it",
      ],
    ],
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

test("the status token, in the file or in another", () => {
  const status = '[status]\nlisten = "0.0.0.0:8081"\n';
  const text = (token: string): string => `listen = ["0.0.0.0:4433"]\n${status}token = ${token}\n`;
  const token = "0123456789abcdef";
  chmodSync(file, 0o600);
  assert.deepEqual(findings(text(`"${token}"`)), []);
  assert.ok(loadRemoteConfig(file).status.token?.equals(token));
  chmodSync(file, 0o644);
  assert.match(
    findings(text(`"${token}"`)).join(),
    /^remote\.toml: status\.token: holds a secret, .*chmod 600/,
  );
  chmodSync(file, 0o600);
  for (const [bad, what] of [
    [token.slice(1), "a token has 16 to 256 characters; openssl rand -base64 24 makes one"],
    [`${token} x`, "has characters that no token can have; use A-Z a-z 0-9 . _ ~ + / -, and = at its end"],
  ] as const) {
    assert.deepEqual(findings(text(`"${bad}"`)), [`remote.toml: status.token: ${what}`]);
    writeFileSync(join(directory, "token.txt"), bad, { mode: 0o600 });
    assert.deepEqual(findings(text('{ file = "token.txt" }')), [
      `remote.toml: status.token.file: token.txt: ${what}`,
    ]);
  }
  writeFileSync(join(directory, "token.txt"), `${token}\n`);
  assert.deepEqual(findings(text('{ file = "token.txt" }')), []);
  assert.ok(loadRemoteConfig(file).status.token?.equals(token));
  chmodSync(join(directory, "token.txt"), 0o640);
  assert.match(
    findings(text('{ file = "token.txt" }')).join(),
    /^remote\.toml: status\.token\.file: token\.txt: holds a secret, .*chmod 600/,
  );
});

test("the example is right", () => {
  writeFileSync(file, readFileSync(new URL("../../../deploy/remote.example.toml", import.meta.url)));
  const { listen, advertise, egress } = loadRemoteConfig(file);
  assert.deepEqual(listen, [{ host: "::", port: 4433 }]);
  assert.deepEqual(advertise, [{ host: "vps.example", port: 4433 }]);
  // The defaults mean the same as the text that init writes.
  assert.deepEqual(egress, parseRemoteFile('listen = ["[::]:1"]', "x").egress);
  // The lines that the example shows commented out are valid, too. The first of its two `allow` lines is taken.
  const all = readFileSync(file, "utf8").replaceAll(/^# (?=\[|[a-z_]+ = )/gm, "");
  const whole = parseRemoteFile(all.replace(/^allow = .*:443.*$/m, "").replaceAll('"..."', `"${key}"`), "x");
  const [peer] = whole.peer;
  assert.deepEqual(
    [peer?.allow?.map(({ text }) => text), peer?.deny.map(({ text }) => text)],
    [["public", "127.0.0.1:5432"], ["*:25"]],
  );
  assert.deepEqual([peer?.maxFlows, peer?.maxNewFlowsPerSecond], [16_384, 2_000]);
  assert.equal(peer?.maxBytesInFlight, (whole.limits.memoryBytes * 3) / 4);
});

test("a missing configuration is written by the command that the error gives", () => {
  const missing = join(directory, "none.toml");
  assert.throws(() => loadRemoteConfig(missing), {
    message: `${missing}: does not exist; run: hawser-remote init --listen '[::]:4433' -c ${missing}`,
  });
});
