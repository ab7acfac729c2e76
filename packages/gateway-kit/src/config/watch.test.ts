import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
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
function watched(file: string) {
  const seen = new EventEmitter();
  const watch = watchConfig(file, () => readFileSync(file, "utf8"), {
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
