import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "@hawser/shared-protocol";
import { type Reach, reachOf } from "./reach.ts";

const PRIVATE = ["127.0.0.1", "::1", "10.0.0.5", "fe80::1", "fd00::7"];
const ADDRESSES = [...PRIVATE, "203.0.113.7", "2001:db8::7"];
const ALL4: Endpoint = { host: "0.0.0.0", port: 4433 };
const ALL: Endpoint = { host: "::", port: 4433 };

function reach(listen: Endpoint, advertise: readonly Endpoint[] = [], addresses = ADDRESSES): Reach {
  return reachOf({ listen: [listen], advertise: [...advertise] }, addresses);
}

test("a pairing line gives the addresses that the configuration advertises, without a note", () => {
  const named = { host: "vps.example", port: 443 };
  assert.deepEqual(reach(ALL4, [named]), { endpoints: [named] });
  const own = { host: "10.0.0.5", port: 4433 };
  assert.deepEqual(reach(own), { endpoints: [own] });
});

test("without those it gives the machine's public addresses, with a note", () => {
  const [four, six] = ["203.0.113.7", "2001:db8::7"].map((host) => ({ host, port: 4433 }));
  const both = reach(ALL);
  assert.deepEqual(both.endpoints, [four, six]);
  assert.match(
    both.note ?? "",
    /^pairing lines name 203\.0\.113\.7:4433 and \[2001:db8::7\]:4433, this machine's public addresses; .*"vps\.example:4433"/,
  );
  assert.deepEqual(reach(ALL4).endpoints, [four]);
});

test("behind NAT, or with a port of the kernel's choice, the user has to give the address", () => {
  for (const found of [reach(ALL, [], PRIVATE), reach({ ...ALL4, port: 0 })]) {
    assert.deepEqual(found.endpoints, []);
    assert.match(found.note ?? "", /^advertise: is needed .*"vps\.example:4433"/);
  }
});
