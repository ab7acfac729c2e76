/** tools/with-node: which Node it takes, and what it says where there is none. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "hawser-with-node-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "tools/with-node");
/** What it needs of the system: nothing else is on PATH. */
const system = join(folder, "system");
for (const part of ["tools", "system"]) mkdirSync(join(folder, part));
copyFileSync(join(import.meta.dirname, "../../tools/with-node"), program);
for (const tool of ["sh", "dirname", "readlink", "uname"]) symlinkSync(pathOf(tool), join(system, tool));

beforeEach(() => rmSync(join(folder, "node_modules"), { recursive: true, force: true }));

function pathOf(tool: string): string {
  return execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim();
}

/** A program in a folder of its own that only says something. @returns the folder */
function say(where: string, tool: string, text: string): string {
  mkdirSync(join(folder, where), { recursive: true });
  writeFileSync(join(folder, where, tool), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 });
  return join(folder, where);
}

function withNode(path: readonly string[], args = ["node", "--version"]) {
  const env = { PATH: [...path, system].join(":") };
  return spawnSync(program, args, { env, encoding: "utf8" });
}

const OWN = `node_modules/node-linux-${process.arch}/bin`;

test("the Node of the npm package goes before a newer one on PATH, and by a link to the script, too", () => {
  say(OWN, "node", "own");
  const newer = say("newer", "node", "v99.0.0");
  assert.equal(withNode([newer]).stdout, "own\n");
  symlinkSync(program, join(folder, "link"));
  assert.equal(execFileSync(join(folder, "link"), ["node"], { encoding: "utf8" }), "own\n");
});

test("without that package the first on PATH that is new enough and runs is taken", () => {
  const path = [
    say("old", "node", "v22.22.2"),
    say("broken", "node", "; exit 1"),
    say("new", "node", "v24.0.0"),
    say("newer", "node", "v99.0.0"),
  ];
  assert.equal(withNode(path).stdout, "v24.0.0\n");
});

test("where there is none it says what to type", () => {
  const { status, stderr } = withNode([say("old", "node", "v18.20.4")]);
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `hawser: needs Node 24 or later, and there is none: ${folder}/old/node is v18.20.4.\n` +
      `hawser: its own is not in node_modules. Type this: cd ${folder} && npm ci --include=optional\n`,
  );
});

/** A machine of the other architecture has not this one's loader, as one with musl has none. */
const FOREIGN = process.arch === "x64" ? "aarch64" : "x86_64";
for (const [machine, why] of [
  ["armv7l", "it brings its own for x64 and arm64, and this machine is armv7l."],
  [FOREIGN, "it brings its own for systems with the 64 bit glibc, and this one has no /lib"],
] as const) {
  test(`on a machine that its own is not made for (${machine}) it says what else helps`, () => {
    const { status, stderr } = withNode([say("old", "node", "v20.1.0"), say("machine", "uname", machine)]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^hawser: needs Node 24 or later, and there is none: .*\/old\/node is v20\.1\.0\.\n/,
    );
    assert.ok(stderr.includes(`hawser: ${why}`), stderr);
    assert.match(stderr, /\nhawser: install Node 24 or later so that `node` is on PATH: https:.*\n$/);
  });
}

test("the command is the process itself: its id and its exit code", async () => {
  say(OWN, "node", '"$$"; exit 7');
  const child = spawn(program, ["node"], { env: { PATH: system }, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [code] = await once(child, "close");
  assert.deepEqual([Number(String(line)), code], [child.pid, 7]);
});

for (const name of ["local", "remote"]) {
  test(`hawser-${name} runs by whatever name it is called, with no Node on PATH`, () => {
    const command = join(folder, `hawser-${name}`);
    symlinkSync(join(import.meta.dirname, `../../packages/gateway-${name}/bin/hawser-${name}`), command);
    const version = execFileSync(command, ["--version"], { env: { PATH: system }, encoding: "utf8" });
    assert.match(version, /^\d+\.\d+\.\d+\n$/);
  });
}
