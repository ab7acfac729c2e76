import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { listFolder, makeFolder } from "./folder.ts";

const root = mkdtempSync(join(tmpdir(), "hawser-folder-"));
after(() => rmSync(root, { recursive: true }));

const needsRoot = process.geteuid?.() !== 0 && "needs root";
const USER = 65_534;
let directory = "";
let folder = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "x-"));
  folder = join(directory, "peers");
});

function ownerAndMode(): number[] {
  const { uid, gid, mode } = statSync(folder);
  return [uid, gid, mode & 0o7777];
}

test("a folder is made for its owner alone, once; its names come sorted", () => {
  assert.deepEqual(listFolder(folder), []);
  makeFolder(folder);
  assert.equal(statSync(folder).mode & 0o7777, 0o700);
  for (const name of ["b", ".c", "a"]) writeFileSync(join(folder, name), "");
  makeFolder(folder);
  assert.deepEqual(listFolder(folder), [".c", "a", "b"]);
  assert.deepEqual(readdirSync(directory), ["peers"]);
});

test("what a crash has left of a folder is made anew; what is no folder is told", () => {
  mkdirSync(join(directory, ".hawser.unfinished.d"));
  makeFolder(folder);
  assert.deepEqual(readdirSync(directory), ["peers"]);
  writeFileSync(join(directory, "file"), "");
  assert.throws(() => listFolder(join(directory, "file")), { code: "CONFIG_UNREADABLE", message: /ENOTDIR/ });
  assert.throws(() => makeFolder(join(directory, "none/peers")), {
    code: "CONFIG_UNWRITABLE",
    message: /none\/peers: cannot be written: its directory does not exist; run: mkdir -p \S+\/none$/,
  });
});

test("root's folder belongs to the owner of the directory that it is in", { skip: needsRoot }, () => {
  chownSync(directory, USER, USER);
  makeFolder(folder);
  assert.deepEqual(ownerAndMode(), [USER, USER, 0o700]);
  rmSync(folder, { recursive: true });
  chownSync(directory, 0, USER);
  chmodSync(directory, 0o750);
  makeFolder(folder);
  assert.deepEqual(ownerAndMode(), [0, USER, 0o750]);
});

test("in another user's directory root follows no link, and gives away no folder that has something in it", {
  skip: needsRoot,
}, () => {
  const victim = join(directory, "victim");
  const theirs = join(directory, "theirs");
  mkdirSync(victim);
  writeFileSync(join(victim, "secret"), "");
  mkdirSync(theirs);
  chownSync(theirs, USER, USER);
  const inTheirs = join(theirs, "peers");
  for (const name of ["peers", ".hawser.unfinished.d"]) {
    symlinkSync(victim, join(theirs, name));
    assert.throws(() => makeFolder(inTheirs), { code: "CONFIG_UNWRITABLE" });
    rmSync(join(theirs, name));
  }
  symlinkSync(victim, inTheirs);
  assert.throws(() => listFolder(inTheirs), { message: /symbolic link that another user could turn/ });
  assert.deepEqual([statSync(victim).uid, statSync(victim).mode & 0o777], [0, 0o755]);
  assert.deepEqual(readdirSync(victim), ["secret"]);
});
