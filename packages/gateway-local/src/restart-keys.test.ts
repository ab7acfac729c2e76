import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { formatPairing, generateSecret } from "@hawser/shared-protocol";
import { type LocalConfig, loadLocalConfig } from "./config.ts";
import { keysThatTakeRestart } from "./restart-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-restart-"));
after(() => rmSync(folder, { recursive: true }));

const pairing = formatPairing({
  name: "home",
  psk: generateSecret(),
  endpoints: [{ host: "192.0.2.1", port: 4433 }],
});
const TEXT = `remote = "${pairing}"
[[path]]
name = "a"
interface = "ppp0"
[capture]
from = ["br-lan"]
[socks]
listen = "127.0.0.1:1080"
users = { alice = "wonderland" }
[status]
token = "0123456789abcdef"
[limits]
drain_seconds = 10
`;

function load(text: string): LocalConfig {
  const file = join(folder, "local.toml");
  writeFileSync(file, text, { mode: 0o600 });
  return loadLocalConfig(file);
}

const edits: [string, string, string[]][] = [
  ["", "", []],
  ['name = "a"', 'name = "b"', []],
  ['["br-lan"]', '["br-lan", "br-guest"]', []],
  ["wonderland", "looking glass", []],
  ['[capture]\nfrom = ["br-lan"]\n', "", []],
  ["[capture]", '[capture]\nlisten = ["192.0.2.1:1"]', ["capture.listen"]],
  ["127.0.0.1:1080", "127.0.0.1:1081", ["socks.listen"]],
  ["0123456789abcdef", "fedcba9876543210", ["status.token"]],
  ["drain_seconds = 10", 'drain_seconds = 9\nmemory = "1GiB"', ["limits.memory", "limits.drain_seconds"]],
];
for (const [before, after, keys] of edits) {
  test(`${before || "nothing"} -> ${after || "nothing"}: ${keys.join(", ") || "no key"} takes a restart`, () => {
    assert.deepEqual(keysThatTakeRestart(load(TEXT), load(TEXT.replace(before, after))), keys);
  });
}
