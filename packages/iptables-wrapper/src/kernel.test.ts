/** Against the kernel's own firewall, in a network namespace of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { applyRules, clearRules, inspectRules } from "./firewall.ts";
import { renderRestore } from "./render.ts";
import { type Runner, systemRunner } from "./runner.ts";
import { sampleRules } from "./sample-rules.ts";
import type { Rule, RuleSet } from "./types.ts";

const system = systemRunner();

/** The tools that the machine chose, and the older kernel interface where its tools are installed too. */
const VARIANTS = ["tables", "tables-legacy"] as const;
type Variant = (typeof VARIANTS)[number];

async function whyNot(variant: Variant): Promise<string | false> {
  if (process.getuid?.() !== 0) return "needs root";
  const tools = ["ip", "ip6"].flatMap((ip) => [`${ip}${variant}-save`, `${ip}${variant}-restore`]);
  for (const command of ["ip", ...tools]) {
    if ((await system.run(command, ["-V"])).code === 127) return `needs ${command}`;
  }
  const name = uniqueName();
  const added = await system.run("ip", ["netns", "add", name]);
  if (added.code !== 0) return `needs network namespaces: ${added.stderr.trim()}`;
  try {
    const rule = "*nat\n-A PREROUTING -p tcp -j REDIRECT --to-ports 1\nCOMMIT\n";
    const nat = await inNamespace(name, variant).run("ip6tables-restore", ["--noflush"], rule);
    return nat.code === 0 ? false : `needs netfilter: ${nat.stderr.trim()}`;
  } finally {
    await system.run("ip", ["netns", "del", name]);
  }
}

function uniqueName(): string {
  return `hw-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
}

function inNamespace(name: string, variant: Variant): Runner {
  return {
    run: (command, args, input) =>
      system.run("ip", ["netns", "exec", name, command.replace("tables", variant), ...args], input),
  };
}

async function withNamespace(variant: Variant, work: (runner: Runner) => Promise<void>): Promise<void> {
  const name = uniqueName();
  const added = await system.run("ip", ["netns", "add", name]);
  assert.equal(added.code, 0, added.stderr);
  try {
    await work(inNamespace(name, variant));
  } finally {
    await system.run("ip", ["netns", "del", name]);
  }
}

/** Both families' rules, without the lines that carry the time. */
async function saved(runner: Runner): Promise<string> {
  const texts = [await runner.run("iptables-save", []), await runner.run("ip6tables-save", [])];
  return texts.map(({ stdout }) => stdout.replace(/^#.*\n/gm, "")).join("");
}

async function restore(runner: Runner, command: string, input: string): Promise<void> {
  const result = await runner.run(command, ["--noflush", "-w", "5"], input);
  assert.equal(result.code, 0, result.stderr);
}

const results = (outcomes: readonly { result: string }[]) => outcomes.map(({ result }) => result);

/** Every match and target; what iptables-save makes of them must be what was rendered. */
function everything(): RuleSet {
  const rules = (source: string, all: string, reject: string): Rule[] => [
    {
      source,
      inInterface: "ppp+",
      outInterface: "eth0.2",
      protocol: "udp",
      destinationPort: 53,
      target: "DROP",
    },
    {
      protocol: "tcp",
      destinationPort: { from: 8000, to: 8080 },
      mark: { value: 0x10, mask: 0xff },
      target: "RETURN",
    },
    { mark: { value: 0xffffffff }, comment: "it's 100% | ok", target: { jump: "HAWSER-test.b" } },
    { protocol: "icmp", destinationType: "MULTICAST", target: { rejectWith: reject } },
    { protocol: "tcp", syn: true, target: { rejectWith: "tcp-reset" } },
    { protocol: "tcp", destinationPort: 12345, connectionState: "DNAT", target: "ACCEPT" },
    { protocol: "tcp", destinationPort: 80, syn: true, connectionState: "NEW", target: "DROP" },
    { source: all, target: "ACCEPT" },
  ];
  const tables = (source: string, all: string, reject: string): RuleSet["ipv4"] => [
    {
      table: "filter",
      chains: [
        { name: "HAWSER-test.b", rules: [] },
        { name: "HAWSER-test", rules: rules(source, all, reject) },
      ],
      jumps: [
        { from: "FORWARD", to: "HAWSER-test", position: "last" },
        { from: "FORWARD", to: "HAWSER-test.b", inInterface: "br-lan" },
        { from: "FORWARD", to: "HAWSER-test", inInterface: "br-lan" },
      ],
    },
    {
      table: "nat",
      chains: [{ name: "HAWSER-test.masq", rules: [{ outInterface: "ppp0", target: "MASQUERADE" }] }],
      jumps: [{ from: "POSTROUTING", to: "HAWSER-test.masq" }],
    },
    {
      table: "mangle",
      chains: [{ name: "HAWSER-test", rules: [{ target: "ACCEPT" }] }],
      jumps: [{ from: "PREROUTING", to: "HAWSER-test", destinationType: "UNICAST" }],
    },
  ];
  const ipv4 = tables("192.0.2.77/24", "0.0.0.0/0", "icmp-host-prohibited") ?? [];
  const ipv6 = tables("2001:DB8:0::77/64", "::/0", "icmp6-adm-prohibited") ?? [];
  return { owner: "HAWSER-test", ipv4, ipv6 };
}

for (const variant of VARIANTS) {
  const skip = await whyNot(variant);
  test(`ip${variant} on the kernel: apply twice, clear, nothing is left`, { skip }, async () => {
    await withNamespace(variant, async (runner) => {
      const others = "*nat\n:OTHER - [0:0]\n-A PREROUTING -i br-lan -j OTHER\nCOMMIT\n";
      await restore(runner, "iptables-restore", others);
      await restore(runner, "ip6tables-restore", others);
      const before = await saved(runner);
      const rules = sampleRules();
      assert.deepEqual(results(await applyRules(runner, rules)), ["changed", "changed"]);
      const inPlace = await saved(runner);
      assert.match(
        inPlace,
        /-A PREROUTING -i br-lan -p tcp .*-j HAWSER-test\n-A PREROUTING -i br-lan -j OTHER/,
      );
      assert.deepEqual(results(await applyRules(runner, rules)), ["unchanged", "unchanged"]);
      assert.equal(await saved(runner), inPlace);
      assert.deepEqual(results(await clearRules(runner, rules.owner)), ["changed", "changed"]);
      assert.equal(await saved(runner), before);
      assert.deepEqual(results(await clearRules(runner, rules.owner)), ["unchanged", "unchanged"]);
    });
  });

  test(`ip${variant} on the kernel: every match and target is saved as it was rendered`, {
    skip,
  }, async () => {
    await withNamespace(variant, async (runner) => {
      const rules = everything();
      await applyRules(runner, rules);
      const states = (await inspectRules(runner, rules)).map(({ state }) => state);
      assert.deepEqual(states, ["in-place", "in-place"], await saved(runner));
      await clearRules(runner, rules.owner);
      assert.doesNotMatch(await saved(runner), /HAWSER/);
    });
  });

  test(`ip${variant} on the kernel: another configuration's leftovers give way`, { skip }, async () => {
    await withNamespace(variant, async (runner) => {
      await applyRules(runner, everything());
      await restore(runner, "iptables-restore", "*mangle\n-A OUTPUT -p tcp -j HAWSER-test\nCOMMIT\n");
      const old = sampleRules({ from: ["br-old", "br-lan"], port: 1111 });
      await applyRules(runner, old);
      // The same jump twice, as an older program or a hand may have left it.
      await restore(runner, "iptables-restore", renderRestore(old, "ipv4").replace(/^[:].*\n|^-A.*\n/gm, ""));
      const rules = sampleRules();
      await applyRules(runner, rules);
      const text = await saved(runner);
      assert.doesNotMatch(text, /br-old|1111|HAWSER-test\./);
      assert.equal(text.match(/-j HAWSER-test$/gm)?.length, 2, "one jump in each family");
      assert.equal((await inspectRules(runner, rules))[0]?.state, "in-place");
    });
  });
}
