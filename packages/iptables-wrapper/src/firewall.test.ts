import assert from "node:assert/strict";
import { test } from "node:test";
import { IptablesError } from "./errors.ts";
import { applyRules, clearRules, inspectRules } from "./firewall.ts";
import type { RunResult } from "./runner.ts";
import { sampleRules } from "./sample-rules.ts";
import { type FakeCall, FakeFirewall } from "./testing.ts";

const BOTH = (result: string) => [
  { family: "ipv4", result },
  { family: "ipv6", result },
];

function restores(fake: FakeFirewall): FakeCall[] {
  return fake.calls.filter((call) => call.command.endsWith("restore"));
}

function fails(match: RegExp, code: number, stderr: string): (call: FakeCall) => RunResult | undefined {
  return ({ command }) => (match.test(command) ? { code, stdout: "", stderr } : undefined);
}

test("apply, apply again, clear, clear again", async () => {
  const fake = new FakeFirewall();
  const rules = sampleRules();
  assert.deepEqual(await applyRules(fake, rules), BOTH("changed"));
  assert.deepEqual(
    fake.calls.map(({ command, args }) => [command, ...args].join(" ")),
    [
      "iptables-save",
      "iptables-restore --noflush -w 5",
      "ip6tables-save",
      "ip6tables-restore --noflush -w 5",
    ],
  );
  const inPlace = fake.save("ipv4") + fake.save("ipv6");
  assert.deepEqual(await applyRules(fake, rules), BOTH("unchanged"));
  assert.equal(restores(fake).length, 2, "nothing was restored the second time");
  assert.equal(fake.save("ipv4") + fake.save("ipv6"), inPlace);
  assert.deepEqual(await clearRules(fake, rules.owner, { lockWaitSeconds: 9 }), BOTH("changed"));
  assert.deepEqual(restores(fake).at(-1)?.args, ["--noflush", "-w", "9"]);
  assert.doesNotMatch(fake.save("ipv4") + fake.save("ipv6"), /HAWSER/);
  assert.deepEqual(await clearRules(fake, rules.owner), BOTH("unchanged"));
});

test("a crash between the families is taken over by the next start, and by a clear", async () => {
  for (const recover of ["apply", "clear"]) {
    const fake = new FakeFirewall();
    fake.intercept = ({ command }) => {
      if (command === "ip6tables-restore") throw new Error("the power went");
      return undefined;
    };
    await assert.rejects(async () => applyRules(fake, sampleRules({ from: ["br-old"], port: 1 })));
    assert.match(fake.save("ipv4"), /br-old/);
    fake.intercept = undefined;
    if (recover === "apply") await applyRules(fake, sampleRules());
    else await clearRules(fake, "HAWSER-test");
    assert.doesNotMatch(fake.save("ipv4"), /br-old|ports 1$/m);
  }
});

test("a family that is no longer wanted is cleared", async () => {
  const fake = new FakeFirewall();
  const { owner, ipv4 = [] } = sampleRules();
  await applyRules(fake, sampleRules());
  const outcomes = await applyRules(fake, { owner, ipv4 });
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ["unchanged", "changed"],
  );
  assert.doesNotMatch(fake.save("ipv6"), /HAWSER/);
});

test("inspect tells in place, differs, missing", async () => {
  const fake = new FakeFirewall();
  const states = async () => (await inspectRules(fake, sampleRules())).map(({ state }) => state);
  assert.deepEqual(await states(), ["missing", "missing"]);
  await applyRules(fake, sampleRules());
  fake.restore("ipv6", "*nat\n-F PREROUTING\nCOMMIT\n");
  assert.deepEqual(await states(), ["in-place", "differs"]);
});

test("rules that change between reading and restoring are read again", async () => {
  const fake = new FakeFirewall();
  await applyRules(fake, sampleRules({ from: ["br-old"] }));
  let raced = false;
  fake.intercept = ({ command }) => {
    if (command === "iptables-restore" && !raced) {
      raced = true;
      fake.restore("ipv4", "*nat\n-F PREROUTING\nCOMMIT\n");
    }
    return undefined;
  };
  assert.equal((await applyRules(fake, sampleRules()))[0]?.result, "changed");
  assert.equal((await inspectRules(fake, sampleRules()))[0]?.state, "in-place");
});

test("a restore that is refused for good is tried once and names the line", async () => {
  const fake = new FakeFirewall();
  fake.intercept = fails(/^iptables-restore/, 1, "iptables-restore: line 3 failed.");
  await assert.rejects(applyRules(fake, sampleRules()), (error) => {
    assert.ok(error instanceof IptablesError);
    assert.deepEqual([error.code, error.family], ["IPTABLES_FAILED", "ipv4"]);
    assert.match(error.message, /at: -A HAWSER-test -m addrtype --dst-type LOCAL -j RETURN$/);
    return true;
  });
  assert.equal(restores(fake).length, 1);
});

test("errors say what to mend", async () => {
  const root = "Could not fetch rule set generation id: Permission denied (you must be root)";
  const cases: [number, string, string, RegExp][] = [
    [127, "iptables-save: not found", "IPTABLES_TOOL_MISSING", /install iptables/],
    [
      4,
      `iptables-save v1.8.9 (nf_tables): ${root}`,
      "IPTABLES_NO_PERMISSION",
      /CAP_NET_ADMIN and CAP_NET_RAW/,
    ],
    [4, "", "IPTABLES_NO_PERMISSION", /root/],
    [4, "Another app is currently holding the xtables lock.", "IPTABLES_LOCKED", /try again/],
    [3, "can't initialize iptables table `nat': Table does not exist", "IPTABLES_KERNEL_SUPPORT", /kernel/],
    [4, "RULE_APPEND failed (No such file or directory): rule", "IPTABLES_KERNEL_SUPPORT", /kernel/],
    [124, "", "IPTABLES_TIMED_OUT", /in time/],
    [2, "unknown option", "IPTABLES_FAILED", /exit code 2.*unknown option/],
  ];
  for (const [code, stderr, expected, message] of cases) {
    const fake = new FakeFirewall();
    fake.intercept = fails(/^iptables-save/, code, stderr);
    await assert.rejects(applyRules(fake, sampleRules()), (error) => {
      assert.ok(error instanceof IptablesError);
      assert.equal(error.code, expected);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("a missing tool is an error only for a family that is wanted", async () => {
  const fake = new FakeFirewall();
  const { owner, ipv4 = [] } = sampleRules();
  fake.intercept = fails(/^ip6tables/, 127, "ip6tables-save: not found");
  const outcomes = await applyRules(fake, { owner, ipv4 });
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ["changed", "absent"],
  );
  await assert.rejects(applyRules(fake, sampleRules()), { code: "IPTABLES_TOOL_MISSING", family: "ipv6" });
  assert.deepEqual(
    (await clearRules(fake, owner)).map(({ result }) => result),
    ["changed", "absent"],
  );
});

test("clear goes on to the other family before it reports a failure", async () => {
  const fake = new FakeFirewall();
  await applyRules(fake, sampleRules());
  fake.intercept = fails(/^iptables-restore/, 4, "Permission denied");
  await assert.rejects(clearRules(fake, "HAWSER-test"), { code: "IPTABLES_NO_PERMISSION", family: "ipv4" });
  assert.doesNotMatch(fake.save("ipv6"), /HAWSER/);
});

test("an invalid rule set or owner runs nothing", async () => {
  const fake = new FakeFirewall();
  await assert.rejects(applyRules(fake, sampleRules({ from: ["br lan"] })), {
    code: "IPTABLES_RULES_INVALID",
  });
  await assert.rejects(clearRules(fake, "a b"), { code: "IPTABLES_RULES_INVALID" });
  assert.deepEqual(fake.calls, []);
});
