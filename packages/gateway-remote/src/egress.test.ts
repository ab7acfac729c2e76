import assert from "node:assert/strict";
import { test } from "node:test";
import { isHost } from "./egress.ts";

test("what a peer may ask to be dialled: addresses and names, not what Node throws at or takes for localhost", () => {
  for (const host of [
    "192.0.2.1",
    "2001:db8::1",
    "origin.example",
    "xn--bcher-kva.example",
    "bücher.example",
  ]) {
    assert.ok(isHost(host), host);
  }
  for (const host of ["", "a\0b", "a b", "a\nb", "\u007f", "\u0085"]) {
    assert.ok(!isHost(host), JSON.stringify(host));
  }
});
