import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFailures, followParts } from "./reload.ts";

const never = (): boolean => false;

test("a part that fails does not stop the others, and is reported with its reason", async () => {
  const done: string[] = [];
  const part = (name: string, error?: Error) => ({
    name,
    follow: async () => {
      await Promise.resolve();
      done.push(name);
      if (error) throw error;
    },
  });
  const outcome = await followParts(
    [
      part("paths"),
      part("quotas", new Error("the disk is full")),
      part("redirect rules", new Error("locked")),
      part("pairing"),
    ],
    never,
  );
  assert.deepEqual(done, ["paths", "quotas", "redirect rules", "pairing"]);
  assert.deepEqual(outcome.followed, ["paths", "pairing"]);
  assert.equal(
    describeFailures(outcome),
    "the configuration was reloaded in part: not the quotas (the disk is full), nor the redirect rules (locked); but the paths, pairing",
  );
});

test("a gateway that begins to stop follows no further part", async () => {
  let isStopping = false;
  const done: string[] = [];
  const parts = ["paths", "quotas", "redirect rules"].map((name) => ({
    name,
    follow: async () => {
      done.push(name);
      if (name === "quotas") isStopping = true;
    },
  }));
  const outcome = await followParts(parts, () => isStopping);
  assert.deepEqual([done, outcome.followed, outcome.failed], [["paths", "quotas"], ["paths", "quotas"], []]);
});
