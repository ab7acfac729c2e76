import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "./log.ts";
import { requirePlatform } from "./platform.ts";

test("what a gateway can do without is a line of the log, what it cannot is an error for the user", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ role: "remote", name: "test", level: "info", destination });
  requirePlatform(logger, []);
  assert.deepEqual(lines, []);
  requirePlatform(logger, [{ isFatal: false, what: "the kernel tells less" }]);
  assert.match(lines.join(), /^[^\n]*"level":"warn"[^\n]*PLATFORM_UNFIT[^\n]*the kernel tells less[^\n]*\n$/);
  assert.throws(() => requirePlatform(logger, [{ isFatal: true, what: "sockets are none" }]), {
    code: "PLATFORM_UNFIT",
    message: "a gateway cannot run here: sockets are none",
    exitCode: 1,
  });
});
