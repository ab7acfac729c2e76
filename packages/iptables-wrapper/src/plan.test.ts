import assert from "node:assert/strict";
import { test } from "node:test";
import { planApply, planClear } from "./plan.ts";
import { renderRestore } from "./render.ts";
import { sampleRules } from "./sample-rules.ts";
import { FakeFirewall } from "./testing.ts";
import type { RuleSet } from "./types.ts";

/** What others have: a comment that mimics options, another instance, a rule of the same interface. */
const OTHERS = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:HAWSER - [0:0]
:HAWSER-test-two - [0:0]
-A PREROUTING -i br-lan -p tcp -m tcp --dport 53 -m comment --comment "-j HAWSER-test" -j DOCKER
-A PREROUTING -i br-lan -p tcp -m comment --comment "managed-by:HAWSER-test-two" -j HAWSER-test-two
-A PREROUTING -i br-lan -p tcp -m comment --comment "managed-by:HAWSER" -j HAWSER
-A HAWSER -j RETURN
COMMIT
`;

function firewall(...inputs: string[]): FakeFirewall {
  const fake = new FakeFirewall();
  for (const input of inputs) fake.restore("ipv4", input);
  return fake;
}

test("an empty firewall gets exactly the rendered rule set, and then needs nothing", () => {
  const rules = sampleRules({ from: ["br-lan", "br-guest"] });
  assert.equal(planApply("", rules, "ipv4"), renderRestore(rules, "ipv4"));
  const fake = firewall(renderRestore(rules, "ipv4"));
  assert.equal(planApply(fake.save("ipv4"), rules, "ipv4"), "");
});

test("others' rules stay as they are through apply and clear", () => {
  const fake = firewall(OTHERS);
  const before = fake.save("ipv4");
  fake.restore("ipv4", planApply(before, sampleRules(), "ipv4"));
  const during = fake.save("ipv4");
  for (const line of before.split("\n")) assert.ok(during.includes(line), line);
  fake.restore("ipv4", planClear(during, "HAWSER-test"));
  assert.equal(fake.save("ipv4"), before);
});

test("changed rules refill the chain and leave the jump where it stands", () => {
  const fake = firewall(renderRestore(sampleRules(), "ipv4"), OTHERS);
  fake.restore("ipv4", "*nat\n-I PREROUTING 1 -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n");
  const plan = planApply(fake.save("ipv4"), sampleRules({ port: 23456 }), "ipv4");
  assert.match(plan, /^:HAWSER-test - /m);
  assert.doesNotMatch(plan, /PREROUTING/);
  fake.restore("ipv4", plan);
  assert.match(fake.save("ipv4"), /--to-ports 23456/);
  assert.doesNotMatch(fake.save("ipv4"), /--to-ports 12345/);
});

test("changed interfaces replace the jumps, duplicated jumps become one", () => {
  const fake = firewall(renderRestore(sampleRules({ from: ["br-lan", "br-guest"] }), "ipv4"));
  const jump = '-A PREROUTING -i br-lan -p tcp -m comment --comment "managed-by:HAWSER-test" -j HAWSER-test';
  fake.restore("ipv4", `*nat\n${jump}\nCOMMIT\n`);
  fake.restore("ipv4", planApply(fake.save("ipv4"), sampleRules({ from: ["br-lan"] }), "ipv4"));
  const jumps = fake
    .save("ipv4")
    .split("\n")
    .filter((line) => line.includes("managed-by"));
  assert.deepEqual(jumps, [jump]);
});

test("what another configuration left goes: other tables, other chains, references by hand", () => {
  const old: RuleSet = {
    owner: "HAWSER-test",
    ipv4: [
      {
        table: "mangle",
        chains: [
          { name: "HAWSER-test.a", rules: [{ target: { jump: "HAWSER-test.b" } }] },
          { name: "HAWSER-test.b", rules: [{ target: "DROP" }] },
        ],
        jumps: [{ from: "PREROUTING", to: "HAWSER-test.a" }],
      },
      { table: "nat", chains: [{ name: "HAWSER-test.old", rules: [] }], jumps: [] },
    ],
  };
  const byHand = "*nat\n-A OUTPUT -p tcp -j HAWSER-test.old\nCOMMIT\n";
  const fake = firewall(renderRestore(old, "ipv4"), byHand);
  fake.restore("ipv4", planApply(fake.save("ipv4"), sampleRules(), "ipv4"));
  assert.doesNotMatch(fake.save("ipv4"), /HAWSER-test\./);
  assert.equal(planApply(fake.save("ipv4"), sampleRules(), "ipv4"), "");

  const again = firewall(renderRestore(old, "ipv4"), byHand, OTHERS);
  again.restore("ipv4", planClear(again.save("ipv4"), "HAWSER-test"));
  assert.doesNotMatch(again.save("ipv4"), /HAWSER-test[ .]/);
  assert.equal(planClear(again.save("ipv4"), "HAWSER-test"), "");
});

test("a jump that lost its chain's rules, and a chain that lost its jump, are both mended", () => {
  const rules = sampleRules();
  const full = firewall(renderRestore(rules, "ipv4")).save("ipv4");
  for (const broken of [/^-A HAWSER-test .*\n/gm, /^-A PREROUTING .*\n/gm, /^-A HAWSER-test -d 10.*\n/gm]) {
    const fake = firewall(full.replace(broken, ""));
    fake.restore("ipv4", planApply(fake.save("ipv4"), rules, "ipv4"));
    assert.equal(fake.save("ipv4"), full, String(broken));
  }
});

test("counters, comments of the tool and unquoted comments are understood", () => {
  const rules = sampleRules();
  const saved = firewall(renderRestore(rules, "ipv4")).save("ipv4");
  assert.equal(planApply(saved.replaceAll(/^-A/gm, "[12:3456] -A"), rules, "ipv4"), "");
  assert.equal(
    planApply(saved.replaceAll('"managed-by:HAWSER-test"', "managed-by:HAWSER-test"), rules, "ipv4"),
    "",
  );
  assert.equal(planClear("# Table `nat' is incompatible, use 'nft' tool.\n", "HAWSER-test"), "");
});
