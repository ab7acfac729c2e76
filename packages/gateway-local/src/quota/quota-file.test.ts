import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { QuotaFile } from "./quota-file.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-quota-"));
after(() => rmSync(folder, { recursive: true }));
const logger = createLogger({ role: "local", name: "test", level: "silent" });

test("saved counts are loaded again; without a file there are none", async () => {
  const file = new QuotaFile(join(folder, "new"), logger);
  assert.equal(file.load().size, 0);
  const counts = new Map([
    ["lte", { period: "2026-11-01", used: 5, before: { period: "2026-10-01", used: 7 } }],
    ["__proto__", { period: "2026-11-01", used: 6 }],
  ]);
  await file.save(counts);
  assert.deepEqual([...file.load()], [...counts]);
});

test("a torn file, or another program's, is renamed", () => {
  for (const text of [
    "",
    '{"version":1,"paths":[{"name":"lte","per',
    '{"version":1,"paths":[{"name":"a"}]}',
    "[]",
  ]) {
    writeFileSync(join(folder, "quota.json"), text);
    assert.equal(new QuotaFile(folder, logger).load().size, 0);
    assert.equal(existsSync(join(folder, "quota.json")), false);
    assert.equal(existsSync(join(folder, "quota.json.broken")), true);
  }
});

test("a folder that cannot be written is an error with a mend", async () => {
  writeFileSync(join(folder, "file"), "");
  const file = new QuotaFile(join(folder, "file"), logger);
  assert.throws(() => file.load(), { code: "STATE_UNWRITABLE", message: /name one with state = / });
  await assert.rejects(file.save(new Map()), { code: "STATE_UNWRITABLE" });
});
