import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EGRESS_VERSION } from "@hawser/shared-protocol";
import { Harness, NOW } from "./testing/harness.ts";

const BOTH = { ipv4: true, ipv6: true };
const IPV4_ALONE = { ipv4: true, ipv6: false };
const IPV6_ALONE = { ipv4: false, ipv6: true };

describe("the remote gateway's way out", () => {
  it("is told on every subflow, once for each change", () => {
    const remote = new Harness("remote", 2);
    remote.session.setEgress(BOTH);
    const told = { type: "egress", number: 1, families: BOTH } as const;
    assert.deepEqual(remote.sent([0]), [told]);
    assert.deepEqual(remote.sent([1]), [told]);
    assert.deepEqual(remote.sent(), []);
    remote.session.setEgress(BOTH);
    assert.deepEqual(remote.sent(), []);
    remote.session.setEgress(IPV4_ALONE);
    const changed = { type: "egress", number: 2, families: IPV4_ALONE } as const;
    assert.deepEqual(remote.sent(), [changed, changed]);
  });

  it("is told to a subflow that joins later, unless its end speaks an older version", () => {
    const remote = new Harness("remote", 1);
    remote.session.setEgress(IPV4_ALONE);
    remote.sent();
    remote.session.addSubflow({ id: 1, path: "p1", role: "active" }, NOW);
    remote.session.addSubflow({ id: 2, path: "p2", role: "active", version: EGRESS_VERSION - 1 }, NOW);
    assert.equal(remote.sent([2]).length, 0);
    assert.deepEqual(remote.sent([1]), [{ type: "egress", number: 1, families: IPV4_ALONE }]);
    remote.session.setEgress(BOTH);
    assert.equal(remote.sent([2]).length, 0);
  });

  it("is what the highest number says, on whichever subflow and however often it comes", () => {
    const local = new Harness("local", 2);
    assert.equal(local.session.egress, undefined);
    local.giveOn(1, { type: "egress", number: 2, families: IPV6_ALONE });
    assert.deepEqual(local.events(), ["egress"]);
    local.giveOn(0, { type: "egress", number: 1, families: BOTH });
    local.giveOn(0, { type: "egress", number: 2, families: IPV6_ALONE });
    assert.deepEqual(local.events(), []);
    assert.deepEqual(local.session.egress, IPV6_ALONE);
  });

  it("is not for the local gateway to tell", () => {
    const remote = new Harness("remote", 1);
    remote.give({ type: "egress", number: 1, families: BOTH });
    assert.deepEqual(remote.events(), ["close-subflow"]);
  });
});
