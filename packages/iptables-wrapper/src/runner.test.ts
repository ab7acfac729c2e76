import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRunner } from "./runner.ts";

const runner = systemRunner({ timeoutMs: 5000 });

test("input goes in, output and exit code come out", async () => {
  const result = await runner.run("sh", ["-c", "cat; echo wrong >&2; exit 3"], "in\n");
  assert.deepEqual(result, { code: 3, stdout: "in\n", stderr: "wrong\n" });
  assert.equal((await runner.run("cat", [])).code, 0, "input is closed when none is given");
});

test("a command that does not read its input is no error of its own", async () => {
  assert.equal((await runner.run("true", [], "x".repeat(1_000_000))).code, 0);
});

test("not found, not executable, too slow", async () => {
  const missing = await runner.run("hawser-no-such-command", []);
  assert.deepEqual([missing.code, missing.stderr], [127, "hawser-no-such-command: not found"]);
  assert.equal((await runner.run("/dev/null", [])).code, 126);
  assert.equal((await systemRunner({ timeoutMs: 50 }).run("sleep", ["5"])).code, 124);
});
