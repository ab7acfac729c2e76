import assert from "node:assert/strict";
import { test } from "node:test";
import { whatIsUncounted } from "./kernel-counts.ts";

test("kernels before 4.19 do not count TCP's retransmissions, and the quota's user is told", () => {
  for (const old of ["4.18.0-553.el8", "4.4.302", "3.10.0"])
    assert.match(whatIsUncounted(old) ?? "", /^Linux [34]\..* does not tell what TCP sends again/);
  for (const good of ["4.19.0-27-amd64", "5.10.0", "6.18", "10.0.1"])
    assert.equal(whatIsUncounted(good), undefined);
});
