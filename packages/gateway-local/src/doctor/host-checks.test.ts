import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaptureConfig, LocalConfig } from "../config.ts";
import { checkCapturedInterfaces } from "./host-checks.ts";

test("an interface to capture from that is not there is bad", () => {
  const check = (from: readonly string[]): string[] =>
    checkCapturedInterfaces({ capture: { from } as CaptureConfig } as LocalConfig).map(({ level }) => level);
  assert.deepEqual(check(["lo", "no-such-device"]), ["ok", "bad"]);
});
