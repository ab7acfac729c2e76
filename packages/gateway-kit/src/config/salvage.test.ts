import assert from "node:assert/strict";
import { test } from "node:test";
import { salvageConfig, salvageToml } from "./salvage.ts";

const GOOD = `remote = "hawser://x"
[[path]]
name = "adsl1"
[status]
listen = "127.0.0.1:9090"
token = "0123456789abcdef"
[socks]
listen = "127.0.0.1:1080"
`;

test("of a file without an error everything is read", () => {
  assert.deepEqual(Object.keys(salvageToml(GOOD)), ["remote", "path", "status", "socks"]);
});

for (const [what, edit] of [
  ["a missing quote elsewhere", ['name = "adsl1"', 'name = "adsl1']],
  ["a table that is defined twice", ["[socks]", "[path]"]],
  ["a broken header elsewhere", ["[socks]", "[socks"]],
  ["a missing quote in the same table", ['token = "0123456789abcdef"', 'token = "0123']],
  ["garbage at the start", ["remote = ", "remote : "]],
] as const) {
  test(`the status address survives ${what}`, () => {
    const text = GOOD.replace(edit[0], edit[1]);
    assert.notEqual(text, GOOD);
    assert.equal((salvageToml(text)["status"] as { listen: string }).listen, "127.0.0.1:9090");
  });
}

test("what is broken itself is left out", () => {
  const found = (text: string): string => JSON.stringify(salvageToml(text));
  assert.equal(found('[status]\nlisten = "127'), '{"status":{}}');
  assert.equal(found("[status\nlisten = 3"), "{}");
  assert.deepEqual(salvageConfig("/nowhere/x.toml"), {});
  assert.deepEqual(salvageConfig("/"), {});
});
