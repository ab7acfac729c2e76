import assert from "node:assert/strict";
import { test } from "node:test";
import { attribute } from "./netlink-attributes.ts";
import { type RulesChange, RulesChanges } from "./nftables-watch.ts";

const NEWRULE = 0x0a06;
const DELTABLE = 0x0a02;
const NEWSETELEM = 0x0a0c;
const NEWGEN = 0x0a0f;

/** `struct nfgenmsg` and attributes. */
function body(family: number, ...attributes: Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(family, 0, 0, 0), ...attributes]);
}

function told(messages: readonly (readonly [type: number, body: Buffer])[]): RulesChange[] {
  const found: RulesChange[] = [];
  const changes = new RulesChanges((change) => found.push(change));
  for (const [type, bytes] of messages) changes.handleMessage({ type, flags: 0, sequence: 0, body: bytes });
  return found;
}

test("a change is told once, when it is whole, with its families and who made it", () => {
  const generation = body(
    0,
    attribute(1, Buffer.of(0, 0, 0, 7)),
    attribute(2, Buffer.of(0, 0, 1, 9)),
    attribute(3, "nft"),
  );
  assert.deepEqual(
    told([
      [NEWRULE, body(2)],
      [NEWRULE, body(2)],
    ]),
    [],
  );
  assert.deepEqual(
    told([
      [NEWRULE, body(2)],
      [NEWGEN, generation],
      [DELTABLE, body(10)],
      [NEWGEN, body(0)],
    ]),
    [
      { ipv4: true, ipv6: false, by: "nft" },
      { ipv4: false, ipv6: true, by: undefined },
    ],
  );
  assert.deepEqual(
    told([
      [DELTABLE, body(1)],
      [NEWGEN, generation],
    ]),
    [{ ipv4: true, ipv6: true, by: "nft" }],
  );
});

test("elements of sets, other subsystems and cut messages are no change", () => {
  assert.deepEqual(
    told([
      [NEWSETELEM, body(2)],
      [NEWGEN, body(0)],
      [0x0106, body(2)],
      [NEWRULE, Buffer.of(2)],
      [NEWGEN, body(0)],
    ]),
    [],
  );
});
