import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionDriver } from "@hawser/gateway-kit";
import type { Path } from "../paths/path.ts";
import { drill } from "./drill.ts";

test("a line whose removal fails is put back all the same", async () => {
  const calls: string[] = [];
  const path = {
    name: "adsl1",
    takeOut() {
      calls.push("out");
      throw new Error("half out");
    },
    putBack: () => void calls.push("back"),
  };
  const session = { streams: [], totals: { sent: 0, received: 0 } };
  const { signal } = new AbortController();
  await assert.rejects(
    drill(path as unknown as Path, { session } as unknown as SessionDriver, 60, signal, () => {}),
    /half out/,
  );
  assert.deepEqual(calls, ["out", "back"]);
});
