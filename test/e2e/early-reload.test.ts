/** SIGHUP while a program loads: systemd may send it as soon as the process exists. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Sends SIGHUP when the program's own code is about to be loaded. */
const HANG_UP = `
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    if (url.endsWith("/dist/cli.js")) process.kill(process.pid, "SIGHUP");
    return next(url, context);
  },
});`;

for (const [program, command, expected] of [
  ["local", "run", { status: 2, signal: null }],
  ["remote", "run", { status: 2, signal: null }],
  // Its terminal is gone, so nobody reads its output.
  ["local", "status", { status: null, signal: "SIGHUP" }],
] as const) {
  test(`hawser-${program} ${command}`, () => {
    const file = fileURLToPath(
      new URL(`../../packages/gateway-${program}/bin/hawser-${program}.mjs`, import.meta.url),
    );
    const hook = `data:text/javascript,${encodeURIComponent(HANG_UP)}`;
    const { status, signal } = spawnSync(
      process.execPath,
      ["--import", hook, file, command, "-c", "/nonexistent/file.toml"],
      { timeout: 20_000 },
    );
    assert.deepEqual({ status, signal }, expected);
  });
}
