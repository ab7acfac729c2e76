import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePasswordRequest, passwordTable } from "./password-auth.ts";

test("a table of users", () => {
  const check = passwordTable({ alice: "wonder", bob: "builder" });
  assert.equal(check("alice", "wonder"), true);
  assert.equal(check("bob", "builder"), true);
  assert.equal(check("alice", "builder"), false);
  assert.equal(check("alice", ""), false);
  assert.equal(check("alice", "wonder "), false);
  assert.equal(check("carol", "wonder"), false);
});

test("names of object properties are no users", () => {
  const check = passwordTable({});
  for (const name of ["__proto__", "constructor", "toString"]) assert.equal(check(name, "x"), false);
});

test("the longest request is taken, UTF-8 is decoded, a BOM is kept", () => {
  const long = Buffer.concat([
    Buffer.of(1, 255),
    Buffer.alloc(255, 0x75),
    Buffer.of(255),
    Buffer.alloc(255, 0x70),
  ]);
  const parsed = parsePasswordRequest(long);
  assert.equal(parsed.state === "done" && parsed.length, 513);
  const bom = Buffer.from("\ufeffé");
  const request = parsePasswordRequest(Buffer.concat([Buffer.of(1, 1, 0x61, bom.length), bom]));
  assert.equal(request.state === "done" && request.value.password, "\ufeffé");
});
