import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { circumstances, commitIn, describe } from "./circumstances.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-bench-"));
after(() => rmSync(folder, { recursive: true }));

test("the command is as it can be typed again, and nothing is empty", () => {
  const args = ["--row", "adsl", "--runs", "3"];
  const found = circumstances(args, new Date("2026-11-30T12:00:00Z"));
  assert.equal(found.command, "npm run bench -- --row adsl --runs 3");
  assert.equal(circumstances([]).command, "npm run bench");
  assert.equal(found.date, "2026-11-30T12:00:00.000Z");
  for (const [name, value] of Object.entries(found)) assert.notEqual(value, "", name);
  assert.match(describe(found), /^commit +\S/);
});

test("the commit is said, and that files were changed since", () => {
  assert.equal(commitIn(folder), "not known");
  const git = (...args: string[]): string => {
    const identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
  };
  git("init", "--quiet");
  writeFileSync(join(folder, "file"), "one");
  git("add", "file");
  git("commit", "--quiet", "--no-gpg-sign", "--message=one");
  const commit = git("rev-parse", "--short", "HEAD");
  assert.equal(commitIn(folder), commit);
  writeFileSync(join(folder, "artifact"), "new");
  assert.equal(commitIn(folder), commit);
  writeFileSync(join(folder, "file"), "two");
  assert.equal(commitIn(folder), `${commit}, and what was changed since`);
});
