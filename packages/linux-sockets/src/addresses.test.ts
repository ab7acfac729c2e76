import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCapability, statusHasCapability } from "./capabilities.ts";
import { isOwnAddress, localAddresses } from "./interfaces.ts";
import { errnoName, SystemError } from "./system-error.ts";

test("own addresses are those of the interfaces, the loopback net and the unspecified ones", () => {
  for (const own of [
    "127.0.0.1",
    "127.8.9.1",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::",
    "0.0.0.0",
    "::ffff:127.0.0.1",
  ]) {
    assert.equal(isOwnAddress(own), true, own);
  }
  for (const entry of localAddresses()) {
    assert.equal(isOwnAddress(entry.address), true, entry.address);
  }
  for (const foreign of ["198.51.100.77", "2001:db8::77", "example.org"])
    assert.equal(isOwnAddress(foreign), false);
});

test("capabilities are read from the effective set", () => {
  const status = "Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t0000000000001400\n";
  assert.equal(statusHasCapability(status, "net_bind_service"), true);
  assert.equal(statusHasCapability(status, "net_admin"), true);
  assert.equal(statusHasCapability(status, "net_raw"), false);
  assert.equal(statusHasCapability("Name:\tnode\n", "net_admin"), false);
  assert.equal(typeof hasCapability("net_admin"), "boolean");
});

test("system errors carry the symbolic code", () => {
  assert.equal(errnoName(19), "ENODEV");
  assert.equal(errnoName(9999), "E9999");
  const error = new SystemError("ENODEV", 19, "setsockopt", "no interface");
  assert.equal(`${error}`, "SystemError: no interface (setsockopt: ENODEV)");
});
