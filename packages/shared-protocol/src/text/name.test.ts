import assert from "node:assert/strict";
import { test } from "node:test";
import { parseName } from "./name.ts";

test("names of peers and paths", () => {
  for (const name of ["home", "A-1.b_c", "x".repeat(64)]) assert.ok(parseName(name).ok, name);
  for (const name of ["", "a b", "é", "a/b", "x".repeat(65), "a\n"]) assert.ok(!parseName(name).ok, name);
});
