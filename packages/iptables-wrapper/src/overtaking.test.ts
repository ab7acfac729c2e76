import assert from "node:assert/strict";
import { test } from "node:test";
import { applyRules, inspectRules } from "./firewall.ts";
import { FakeFirewall } from "./testing.ts";
import type { RuleSet } from "./types.ts";

const RULES: RuleSet = {
  owner: "HAWSER",
  ipv4: [
    {
      table: "nat",
      chains: [{ name: "HAWSER", rules: [{ protocol: "tcp", target: { redirectTo: 12345 } }] }],
      jumps: ["lan0", "lan1"].map((inInterface) => ({
        from: "PREROUTING",
        to: "HAWSER",
        inInterface,
        protocol: "tcp",
      })),
    },
  ],
};

/** Rules that others put before ours, and whether these are overtaken by it. */
const CASES: [rules: string[], overtaken: boolean][] = [
  [["-I PREROUTING 1 -p tcp -j REDIRECT --to-ports 9"], true],
  [["-I PREROUTING 1 -i lan0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128"], true],
  [["-I PREROUTING 1 -i lan1 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.0.2.1"], true],
  [["-I PREROUTING 1 -i lan+ -j ACCEPT"], true],
  [["-I PREROUTING 1 -s 192.168.1.7/32 -p tcp -j REDIRECT --to-ports 9"], true],
  [["-I PREROUTING 1 -j RETURN"], true],
  [[":OTHER - [0:0]", "-I PREROUTING 1 -j OTHER", "-A OTHER -p tcp -j REDIRECT --to-ports 9"], true],
  [
    [
      ":OTHER - [0:0]",
      "-I PREROUTING 1 -s 192.168.1.7/32 -j OTHER",
      "-A OTHER -p tcp -j DNAT --to-destination 192.0.2.1",
    ],
    true,
  ],
  [[":OTHER - [0:0]", "-I PREROUTING 1 -i lan0 -j OTHER", "-A OTHER -j ACCEPT"], true],
  // Exceptions, and what has nothing to do with the LAN's TCP.
  [["-I PREROUTING 1 -i wan0 -p tcp -j DNAT --to-destination 192.168.1.5"], false],
  [["-I PREROUTING 1 -p udp -j REDIRECT --to-ports 53"], false],
  [["-I PREROUTING 1 -s 192.168.1.7/32 -j ACCEPT"], false],
  [["-I PREROUTING 1 -p tcp -m tcp --dport 25 -j RETURN"], false],
  [["-I PREROUTING 1 -d 203.0.113.1/32 -p tcp -j DNAT --to-destination 192.168.1.5"], false],
  [["-I PREROUTING 1 ! -i lan0 -p tcp -j ACCEPT"], false],
  [['-I PREROUTING 1 -m comment --comment "-j REDIRECT" -j LOG'], false],
  [
    [
      ":DOCKER - [0:0]",
      "-I PREROUTING 1 -m addrtype --dst-type LOCAL -j DOCKER",
      "-A DOCKER -j REDIRECT --to-ports 9",
    ],
    false,
  ],
  [[":OTHER - [0:0]", "-I PREROUTING 1 -j OTHER", "-A OTHER -j RETURN", "-A OTHER -p tcp -j ACCEPT"], false],
  [[":OTHER - [0:0]", "-I PREROUTING 1 -s 192.168.1.7/32 -j OTHER", "-A OTHER -j ACCEPT"], false],
  [[":A - [0:0]", ":B - [0:0]", "-I PREROUTING 1 -j A", "-A A -j B", "-A B -j A"], false],
];

test("a rule that takes what ours are to get is told, and ours are put before it", async () => {
  for (const [rules, overtaken] of CASES) {
    const fake = new FakeFirewall();
    await applyRules(fake, RULES);
    fake.restore("ipv4", `*nat\n${rules.join("\n")}\nCOMMIT\n`);
    const [state] = await inspectRules(fake, RULES);
    assert.equal(state?.state, overtaken ? "differs" : "in-place", rules.join("\n"));
    if (overtaken)
      assert.match(
        state?.differences.join() ?? "",
        /stands before the jump from PREROUTING/,
        rules.join("\n"),
      );
    const before = fake.save("ipv4");
    const [outcome] = await applyRules(fake, RULES);
    assert.equal(outcome?.result, overtaken ? "changed" : "unchanged");
    if (!overtaken) assert.equal(fake.save("ipv4"), before);
    const places = fake
      .save("ipv4")
      .split("\n")
      .filter((line) => line.startsWith("-A PREROUTING"));
    const jumps = places.flatMap((line, i) => (line.includes("-j HAWSER") ? [i] : []));
    assert.deepEqual(jumps, overtaken ? [0, 1] : [1, 2], rules.join("\n"));
    assert.equal((await inspectRules(fake, RULES))[0]?.state, "in-place");
  }
});

test("an exception that stands before ours stays there when another has to give way", async () => {
  const fake = new FakeFirewall();
  await applyRules(fake, RULES);
  fake.restore(
    "ipv4",
    "*nat\n-I PREROUTING 1 -p tcp -j ACCEPT\n-I PREROUTING 1 -s 192.168.1.7/32 -j ACCEPT\nCOMMIT\n",
  );
  await applyRules(fake, RULES);
  const [first, second] = fake
    .save("ipv4")
    .split("\n")
    .filter((line) => line.startsWith("-A PREROUTING"));
  assert.match(`${first}${second}`, /-i lan0.*-i lan1/);
});

test("what is amiss is told in words", async () => {
  const fake = new FakeFirewall();
  const told = async (): Promise<string> =>
    (await inspectRules(fake, RULES))[0]?.differences.join("; ") ?? "";
  assert.equal(await told(), "nat: the chain HAWSER is missing; nat: 2 jumps from PREROUTING are missing");
  await applyRules(fake, RULES);
  assert.equal(await told(), "");
  fake.restore("ipv4", "*nat\n-F PREROUTING\nCOMMIT\n");
  assert.equal(await told(), "nat: 2 jumps from PREROUTING are missing");
  fake.restore("ipv4", "*nat\n-F HAWSER\nCOMMIT\n");
  assert.match(await told(), /nat: the chain HAWSER has other rules; nat: 2 jumps/);
  await applyRules(fake, RULES);
  fake.restore("ipv4", "*nat\n-I PREROUTING 1 -p tcp -j REDIRECT --to-ports 9\nCOMMIT\n");
  assert.equal(
    await told(),
    'nat: "-A PREROUTING -p tcp -j REDIRECT --to-ports 9" stands before the jump from PREROUTING',
  );
});
