import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError, ErrorCode } from "./errors.ts";
import { findStatus } from "./find-status.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-status-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "local.toml");
const TOKEN = "0123456789abcdef";

/** Of a file with this text whose loading fails: `HOST:PORT TOKEN`, and what is told. */
function found(text: string): [string, string] {
  writeFileSync(file, text);
  let told = "";
  const load = (): never => {
    throw new ConfigError(ErrorCode.configInvalid, [{ file: "F", key: "path[1].nmae", what: "unknown key" }]);
  };
  const { listen, token } = findStatus(file, load, "127.0.0.1:8080", (line) => (told += line));
  return [`${listen.host}:${listen.port} ${token?.reveal().toString("utf8") ?? "-"}`, told];
}

test("the address of a sound file is its own, and nothing is told", () => {
  const status = { listen: { host: "127.0.0.1", port: 1 }, token: undefined };
  const tell = (): never => assert.fail("nothing is wrong");
  assert.equal(
    findStatus(file, () => status, "127.0.0.1:8080", tell),
    status,
  );
});

test("of a broken file what can be read counts, and the error is told", () => {
  const [where, told] = found(`[[path]]\nnmae = 1\n[status]\nlisten = "127.0.0.1:9090"\ntoken = "${TOKEN}"`);
  assert.equal(where, `127.0.0.1:9090 ${TOKEN}`);
  assert.equal(told, "F: path[1].nmae: unknown key\nasking the gateway at 127.0.0.1:9090 all the same\n");
  writeFileSync(join(folder, "token.txt"), `${TOKEN}\n`, { mode: 0o644 });
  const golden: [string, string][] = [
    [
      `[status]\nlisten = "127.0.0.1:9090"\ntoken = { file = "token.txt" }\n[socks`,
      `127.0.0.1:9090 ${TOKEN}`,
    ],
    ["[status]\nlisten = 9090", "127.0.0.1:8080 -"],
    ['[status]\ntoken = { file = "nowhere.txt" }', "127.0.0.1:8080 -"],
    ["status = 3", "127.0.0.1:8080 -"],
    ["", "127.0.0.1:8080 -"],
  ];
  for (const [text, where] of golden) assert.equal(found(text)[0], where, text);
});

test("a fault of the program is no broken file", () => {
  const load = (): never => {
    throw new RangeError("a fault");
  };
  assert.throws(() => findStatus(file, load, "127.0.0.1:8080"), /a fault/);
});
