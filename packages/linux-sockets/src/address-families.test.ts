import assert from "node:assert/strict";
import { test } from "node:test";
import { hasIpv6 } from "./address-families.ts";

/** A kernel that makes sockets, or answers with this errno. */
function kernel(errno: number, closed: number[] = []) {
  return {
    socket: () => (errno === 0 ? 7 : -1),
    close: (fd: number) => closed.push(fd),
    errno: () => errno,
  };
}

test("a kernel without IPv6 is known by EAFNOSUPPORT alone", () => {
  assert.equal(hasIpv6(kernel(97)), false);
  // EMFILE: there may be IPv6.
  assert.equal(hasIpv6(kernel(24)), true);
});

test("the socket that was made to ask is closed", () => {
  const closed: number[] = [];
  assert.equal(hasIpv6(kernel(0, closed)), true);
  assert.deepEqual(closed, [7]);
});
