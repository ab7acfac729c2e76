import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { CodedError } from "@hawser/gateway-kit/config";
import { formatPairing, generateSecret } from "@hawser/shared-protocol";
import { type LocalConfig, loadLocalConfig } from "./config.ts";

const directory = mkdtempSync(join(tmpdir(), "hawser-local-"));
after(() => rmSync(directory, { recursive: true }));

const file = join(directory, "local.toml");
const psk = generateSecret();
const PAIRING = formatPairing({ name: "home", psk, endpoints: [{ host: "203.0.113.7", port: 4433 }] });
/** A path's defaults. */
const PLAIN = { tier: 1, maxRate: {}, metered: false };
const PATH = '[[path]]\nname = "adsl1"\ninterface = "ppp0"\n';

function load(text: string, mode = 0o600): LocalConfig {
  writeFileSync(file, text);
  chmodSync(file, mode);
  return loadLocalConfig(file);
}

/** The findings for a configuration, without the file's name. */
function findings(text: string, mode?: number): string[] {
  try {
    load(text, mode);
  } catch (error) {
    assert.ok(error instanceof CodedError);
    assert.equal(error.exitCode, 2);
    assert.ok(!error.message.includes(psk.revealBase64url()));
    return error.message
      .split("\n")
      .map((line) => line.replaceAll(`${directory}/`, "").replace(/ \(line \d+\)$/, ""));
  }
  return [];
}

test("the least that is needed, and its defaults", () => {
  const config = load(`remote = "${PAIRING}"\n${PATH}`);
  assert.equal(config.remote.name, "home");
  assert.ok(config.remote.psk.equals(psk));
  assert.deepEqual(
    { ...config, remote: undefined },
    {
      remote: undefined,
      paths: [{ name: "adsl1", interface: "ppp0", subflows: 1, role: "active", ...PLAIN }],
      capture: undefined,
      socks: undefined,
      forwards: [],
      status: { listen: { host: "127.0.0.1", port: 8080 }, token: undefined },
      limits: { memoryBytes: 268_435_456, drainSeconds: 10 },
      state: directory,
    },
  );
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.paths[0]));
});

test("every key at once", () => {
  const config = load(`
remote = "${PAIRING}"
[[path]]
name = "adsl1"
interface = "ppp0"
source = "100.64.1.2"
subflows = 4
[[path]]
name = "lte"
source = "192.0.2.2"
role = "overflow"
tier = 2
max_rate = { down = "20 Mbit/s" }
quota = { bytes = "50 GB", reset_day = 31, when_reached = "disable", count = "down" }
metered = true
[capture]
from = ["br-lan"]
bypass = ["192.168.0.0/16", "2001:db8::1"]
[socks]
listen = "127.0.0.1:1080"
users = { alice = "wonder" }
[[forward]]
listen = "127.0.0.1:8022"
to = "nas.example:22"
[status]
listen = "[::1]:9000"
[limits]
memory = "64MiB"
drain_seconds = 2.5
`);
  assert.deepEqual(config.paths, [
    { name: "adsl1", interface: "ppp0", source: "100.64.1.2", subflows: 4, role: "active", ...PLAIN },
    {
      name: "lte",
      source: "192.0.2.2",
      subflows: 1,
      role: "overflow",
      tier: 2,
      maxRate: { down: 20_000_000 },
      quota: { bytes: 50_000_000_000, resetDay: 31, whenReached: "disable", count: "down" },
      metered: true,
    },
  ]);
  assert.deepEqual(config.capture, {
    listen: [
      { host: "0.0.0.0", port: 12345 },
      { host: "::", port: 12345 },
    ],
    from: ["br-lan"],
    rules: true,
    quic: "reject",
    bypass: [
      { family: 4, address: "192.168.0.0", prefix: 16 },
      { family: 6, address: "2001:db8::1", prefix: 128 },
    ],
  });
  assert.ok(config.socks?.users?.get("alice")?.equals("wonder"));
  assert.deepEqual(config.forwards, [
    { listen: { host: "127.0.0.1", port: 8022 }, to: { host: "nas.example", port: 22 } },
  ]);
  assert.deepEqual(config.status.listen, { host: "::1", port: 9000 });
  assert.deepEqual(config.limits, { memoryBytes: 67_108_864, drainSeconds: 2.5 });
  const shown = inspect(config, { depth: 9 }) + JSON.stringify(config);
  assert.ok(!shown.includes("wonder") && !shown.includes(psk.revealBase64url()));
});

test("capture and SOCKS listen on one address, or on several", () => {
  const config = load(`remote = "${PAIRING}"
${PATH}
[capture]
listen = "127.0.0.1:1"
rules = false
[socks]
listen = ["127.0.0.1:2", "[::1]:2"]
`);
  assert.deepEqual(config.capture?.listen, [{ host: "127.0.0.1", port: 1 }]);
  assert.deepEqual(config.socks?.listen, [
    { host: "127.0.0.1", port: 2 },
    { host: "::1", port: 2 },
  ]);
  const wrong = (listen: string): string[] =>
    findings(`remote = "${PAIRING}"\n${PATH}[socks]\nlisten = ${listen}\n`);
  assert.deepEqual(wrong('"x"'), ['local.toml: socks.listen: "x" has no port; write "x:PORT"']);
  assert.deepEqual(wrong('["x"]'), ['local.toml: socks.listen[0]: "x" has no port; write "x:PORT"']);
  assert.deepEqual(wrong("1080"), [
    "local.toml: socks.listen: expected a string or an array, found a whole number",
  ]);
  assert.deepEqual(wrong('["127.0.0.1:2", "127.0.0.1:2"]'), [
    "local.toml: socks.listen[1]: 127.0.0.1:2 is taken by another listener of this file; choose another port",
  ]);
});

test("each fault is reported with its key", () => {
  const remote = `remote = "${PAIRING}"\n`;
  const golden: [string, string[]][] = [
    [remote, ["local.toml: path: is required (an array)"]],
    [
      `remote = "${PAIRING.slice(0, 40)}"\n${PATH}`,
      ['local.toml: remote: is cut off: it has no "@" before the endpoints'],
    ],
    [
      `${remote}${PATH}tier = 2\nmax_rate = {}\nquota = { bytes = "1 kB", reset_day = 32, count = "all" }\n`,
      [
        'local.toml: path[0].max_rate: needs "down", "up" or both',
        "local.toml: path[0].quota.bytes: must be at least 1000000 bytes",
        "local.toml: path[0].quota.reset_day: must be at most 31",
        'local.toml: path[0].quota.count: expected one of "both", "down", "up"',
      ],
    ],
    [
      `${remote}${PATH}tier = 2\n`,
      ['local.toml: path[0].tier: is for overflow paths; write role = "overflow", or leave it out'],
    ],
    [
      `${remote}${PATH}max_rate = { down = "20 MB" }\n`,
      [
        'local.toml: path[0].max_rate.down: "20 MB" is not a rate such as "20 Mbit/s" (units: bit/s kbit/s Mbit/s Gbit/s)',
      ],
    ],
    [
      `${remote}[[path]]\nname = "a"\ninterfaec = "ppp0"\n`,
      ['local.toml: path[0].interfaec: unknown key; did you mean "interface"?'],
    ],
    [
      `${remote}[[path]]\nname = "a"\n`,
      [
        'local.toml: path[0]: needs "interface", "source" or both; without them it would take whatever line the default route takes',
      ],
    ],
    [
      `${remote}${PATH}${PATH}`,
      ['local.toml: path[1].name: "adsl1" is the name of an earlier one already (path[0])'],
    ],
    [
      `${remote}${PATH}source = "ppp0"\n`,
      ['local.toml: path[0].source: "ppp0" is not an IP address of this machine; `ip address` lists them'],
    ],
    [
      `${remote}${PATH}[[path]]\nname = "b"\nsource = "2001:db8::2"\n`,
      [
        "local.toml: path[1].source: is an IPv6 address, from which the remote gateway (203.0.113.7:4433) cannot be reached",
      ],
    ],
    [
      `${remote}${[1, 2, 3, 4, 5].map((n) => `[[path]]\nname = "p${n}"\ninterface = "i${n}"\nsubflows = 16\n`).join("")}`,
      [
        "local.toml: path[0].subflows: makes 80 for all paths together, and the remote gateway takes 64; write 12, or leave it out",
      ],
    ],
    [
      `${remote}${PATH}[capture]\n`,
      [
        'local.toml: capture.from: names no interface; write the ones of the LAN, such as ["br-lan"], or rules = false',
      ],
    ],
    [
      `${remote}${PATH}[capture]\nfrom = ["lan0"]\nquic = "carry"\n`,
      ['local.toml: capture.quic: "carry" comes in a later version; write "reject" or "pass"'],
    ],
    [
      `${remote}${PATH}[capture]\nfrom = ["lan0"]\nquic = "drop"\n`,
      ['local.toml: capture.quic: "drop" is unknown; write "reject" or "pass"'],
    ],
    [
      `${remote}${PATH}[capture]\nfrom = ["lan0"]\nlisten = ["127.0.0.1:1", "[::1]:1", "0.0.0.0:0"]\n`,
      [
        'local.toml: capture.listen[0]: is not reached by what comes from the LAN; write "0.0.0.0:1"',
        'local.toml: capture.listen[1]: is not reached by what comes from the LAN; write "[::]:1"',
        "local.toml: capture.listen[2]: needs a port that the redirect rules can name; write one from 1 to 65535",
      ],
    ],
    [
      `${remote}${PATH}[socks]\nlisten = "127.0.0.1:8080"\n`,
      [
        "local.toml: status.listen: 127.0.0.1:8080 is taken by another listener of this file; choose another port",
      ],
    ],
    [
      `${remote}${PATH}[socks]\nlisten = "127.0.0.1:1"\nusers = { alice = "" }\n`,
      ["local.toml: socks.users.alice: is an empty password"],
    ],
    [
      `${remote}${PATH}[[forward]]\nlisten = "127.0.0.1:1"\nto = "nas:0"\n`,
      ['local.toml: forward[0].to: "nas:0": port 0 cannot be reached; write a port from 1 to 65535'],
    ],
  ];
  for (const [text, expected] of golden) assert.deepEqual(findings(text), expected);
});

test("a file with a secret in it must be its owner's alone", () => {
  assert.match(
    findings(`remote = "${PAIRING}"\n${PATH}`, 0o644)[0] ?? "",
    /^local\.toml: remote: holds a secret, .* \(mode 0644\); run: chmod 600 local\.toml$/,
  );
  const pairing = join(directory, "pairing.txt");
  writeFileSync(pairing, `${PAIRING}\n`, { mode: 0o600 });
  const named = `remote = { file = "pairing.txt" }\n${PATH}`;
  assert.equal(load(named, 0o644).remote.name, "home");
  const users = `${named}[socks]\nlisten = "127.0.0.1:1080"\nusers = { alice = "x" }\n`;
  assert.match(findings(users, 0o644)[0] ?? "", /^local\.toml: socks\.users: holds a secret/);
  chmodSync(pairing, 0o644);
  assert.match(
    findings(named)[0] ?? "",
    /^local\.toml: remote\.file: pairing\.txt: holds a secret, but group or others/,
  );
  writeFileSync(pairing, "hawser://home\n");
  chmodSync(pairing, 0o600);
  assert.deepEqual(findings(named), [
    'local.toml: remote.file: pairing.txt: is cut off: it has no "@" before the endpoints',
  ]);
  rmSync(pairing);
  assert.deepEqual(findings(named), [
    "local.toml: remote.file: pairing.txt: does not exist; run on the VPS: hawser-remote pair home; then here: install -D -m 600 /dev/stdin pairing.txt; paste the line, and press Enter and Ctrl-D",
  ]);
});

test("the example is right, but for the pairing line that it names", () => {
  const example = new URL("../../../deploy/local.example.toml", import.meta.url);
  rmSync(join(directory, "pairing.txt"), { force: true });
  const text = readFileSync(example, "utf8");
  assert.deepEqual(findings(text, 0o644), [
    "local.toml: remote.file: pairing.txt: does not exist; run on the VPS: hawser-remote pair home; then here: install -D -m 600 /dev/stdin pairing.txt; paste the line, and press Enter and Ctrl-D",
  ]);
  writeFileSync(join(directory, "pairing.txt"), PAIRING, { mode: 0o600 });
  const { paths, capture, limits } = load(text, 0o644);
  assert.deepEqual(
    paths.map(({ name }) => name),
    ["adsl1", "adsl2"],
  );
  assert.deepEqual(capture?.from, ["br-lan"]);
  assert.deepEqual(limits, { memoryBytes: 268_435_456, drainSeconds: 10 });
  // The lines that the example shows commented out are valid, too.
  const all = text.replaceAll(/^# (?=\[|[a-z]+ = )/gm, "");
  writeFileSync(join(directory, "status-token.txt"), "an-example-of-24-chars-x\n", { mode: 0o600 });
  const whole = load(all);
  assert.ok(whole.status.token?.equals("an-example-of-24-chars-x"));
  assert.ok(whole.socks?.users?.has("alice"));
  assert.equal(whole.forwards.length, 1);
  assert.equal(whole.paths[1]?.source, "100.64.1.2");
});

test("the mends of missing files work as typed, one after the other", () => {
  const missing = join(directory, "new", "local.toml");
  const pairing = join(directory, "new", "pairing.txt");
  const token = join(directory, "new", "token.txt");
  /** The command in the error of loading the configuration. */
  const mendIn = (pattern: RegExp): string => {
    try {
      loadLocalConfig(missing);
    } catch (error) {
      return pattern.exec(String(error))?.[1] ?? assert.fail(String(error));
    }
    assert.fail("nothing is missing");
  };
  const type = (command: string): unknown => execFileSync("sh", ["-c", command]);
  type(mendIn(/: does not exist; run: (.+)$/));
  const paste = mendIn(/pairing\.txt: does not exist; run on the VPS: .+; then here: (.+); paste/);
  type(`printf '%s\\n' '${PAIRING}' | ${paste}`);
  const text = readFileSync(missing, "utf8");
  writeFileSync(
    missing,
    `${text.replace(/^\[status\][^[]*/m, "")}\n[status]\ntoken = { file = "token.txt" }\n`,
  );
  type(mendIn(/token\.txt: does not exist; run: (.+)$/));
  assert.ok(loadLocalConfig(missing).status.token);
  for (const path of [missing, pairing, token]) assert.equal(statSync(path).mode & 0o777, 0o600);
});
