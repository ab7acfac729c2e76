import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { watchConfig } from "./watch.ts";

const directory = mkdtempSync(join(tmpdir(), "hawser-watch-"));
after(() => rmSync(directory, { recursive: true }));

/** A watch whose changes can be awaited; it does not keep the process alive itself. */
function watched(file: string, folder?: string) {
  const seen = new EventEmitter();
  const paths = folder === undefined ? [file] : [file, folder];
  const read = (): string => readFileSync(file, "utf8") + (folder === undefined ? "" : textsIn(folder));
  const watch = watchConfig(paths, read, {
    onChange: (text) => seen.emit("change", text),
    onError: (error) => seen.emit("change", (error as NodeJS.ErrnoException).code),
  });
  const alive = setInterval(() => {}, 1_000);
  const next = async (): Promise<unknown> => {
    const [text] = await once(seen, "change", { signal: AbortSignal.timeout(5_000) });
    return text;
  };
  return {
    next,
    [Symbol.dispose]() {
      clearInterval(alive);
      watch.close();
    },
  };
}

/** `NAME=TEXT` of each file of a folder that may not be there. */
function textsIn(folder: string): string {
  if (!existsSync(folder)) return "";
  const names = readdirSync(folder).sort();
  return names.map((name) => ` ${name}=${readFileSync(join(folder, name), "utf8")}`).join("");
}

test("a file is followed in place, by rename, and while it is away", async () => {
  const file = join(directory, "a.toml");
  writeFileSync(file, "1");
  using watch = watched(file);
  writeFileSync(file, "2");
  assert.equal(await watch.next(), "2");
  writeFileSync(`${file}.new`, "3");
  renameSync(`${file}.new`, file);
  assert.equal(await watch.next(), "3");
  rmSync(file);
  assert.equal(await watch.next(), "ENOENT");
  writeFileSync(file, "4");
  assert.equal(await watch.next(), "4");
});

test("it is followed through a symbolic link, and when its directory is another one", async () => {
  const real = join(directory, "real");
  const link = join(directory, "link.toml");
  mkdirSync(real);
  writeFileSync(join(real, "b.toml"), "1");
  symlinkSync("real/b.toml", link);
  using watch = watched(link);
  writeFileSync(join(real, "b.toml"), "2");
  assert.equal(await watch.next(), "2");
  mkdirSync(`${real}.new`);
  writeFileSync(join(`${real}.new`, "b.toml"), "3");
  renameSync(real, `${real}.old`);
  renameSync(`${real}.new`, real);
  assert.equal(await watch.next(), "3");
});

test("a folder beside it is followed: made later, files added, edited in place, replaced and removed", async () => {
  const file = join(directory, "c.toml");
  const folder = join(directory, "c");
  writeFileSync(file, "1");
  using watch = watched(file, folder);
  mkdirSync(folder);
  writeFileSync(join(folder, "x"), "2");
  assert.equal(await watch.next(), "1 x=2");
  writeFileSync(join(folder, "x"), "3");
  assert.equal(await watch.next(), "1 x=3");
  writeFileSync(join(folder, "y"), "4");
  assert.equal(await watch.next(), "1 x=3 y=4");
  renameSync(join(folder, "x"), join(folder, "y"));
  assert.equal(await watch.next(), "1 y=3");
  rmSync(folder, { recursive: true });
  assert.equal(await watch.next(), "1");
});

test("a change is heard of, and does not wait for the look that is made once a second", async (t) => {
  const file = join(directory, "d.toml");
  const folder = join(directory, "d");
  writeFileSync(file, "1");
  // The clock of each second stands still.
  t.mock.timers.enable({ apis: ["setInterval"] });
  using watch = watched(file, folder);
  const alive = setTimeout(() => {}, 60_000);
  t.after(() => clearTimeout(alive));
  writeFileSync(file, "2");
  assert.equal(await watch.next(), "2");
  mkdirSync(folder);
  writeFileSync(join(folder, "x"), "3");
  assert.equal(await watch.next(), "2 x=3");
  writeFileSync(join(folder, "x"), "4");
  assert.equal(await watch.next(), "2 x=4");
  rmSync(join(folder, "x"));
  assert.equal(await watch.next(), "2");
});
