import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import type { RulesChange } from "@hawser/linux-sockets";
import { EventLog } from "@hawser/status-api";
import { Family } from "iptables-wrapper";
import { FakeFirewall } from "iptables-wrapper/testing";
import type { CaptureConfig } from "../config.ts";
import { FailedDestinations } from "./failed-destinations.ts";
import { RuleKeeper } from "./rule-keeper.ts";
import { FakeSets } from "./testing.ts";

const CAPTURE: CaptureConfig = {
  listen: [
    { host: "0.0.0.0", port: 12345 },
    { host: "::", port: 12345 },
  ],
  from: ["lan0"],
  rules: true,
  bypass: [],
  quic: "reject",
};

interface House {
  readonly firewall: FakeFirewall;
  readonly keeper: RuleKeeper;
  readonly events: EventLog;
  /** Reports a change, as the kernel does. */
  readonly tell: (by: string) => void;
  /** How many connections the rules have redirected to the listener. */
  captured: number;
}

function house(): House {
  const firewall = new FakeFirewall();
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const events = new EventLog();
  let onChange: (change: RulesChange) => void = () => {};
  const listen = (handler: typeof onChange): { close(): void } => {
    onChange = handler;
    return { close: () => (onChange = () => {}) };
  };
  const made: House = {
    firewall,
    events,
    keeper: new RuleKeeper({
      logger,
      events,
      hasCaptured: () => made.captured > 0,
      failed: new FailedDestinations(logger, () => new FakeSets()),
      runner: firewall,
      listen,
    }),
    tell: (by) => onChange({ ipv4: true, ipv6: true, by }),
    captured: 0,
  };
  return made;
}

/** The gateway's chain and jumps in the nat table. */
function inPlace(
  firewall: FakeFirewall,
  family: Family = Family.ipv4,
): "chain and jumps" | "chain" | "nothing" {
  const text = firewall.save(family);
  if (!text.includes(":HAWSER ")) return "nothing";
  return /-j HAWSER$/m.test(text) ? "chain and jumps" : "chain";
}

/** Makes the tools fail as they do when another program holds the lock. */
function locked(firewall: FakeFirewall): void {
  firewall.intercept = ({ command }) =>
    command.endsWith("-restore")
      ? { code: 4, stdout: "", stderr: "Another app is holding the xtables lock." }
      : undefined;
}

test("a stop takes the jumps at once and the chain at the end", async () => {
  const { firewall, keeper } = house();
  await keeper.follow(CAPTURE);
  assert.equal(inPlace(firewall), "chain and jumps");
  await keeper.stopCapturing();
  assert.equal(inPlace(firewall), "chain");
  assert.equal(inPlace(firewall, Family.ipv6), "chain");
  await keeper.remove();
  assert.equal(inPlace(firewall), "nothing");
});

test("a reload that meets a stop never brings the jumps back, whichever comes first", async () => {
  for (const order of ["reload first", "stop first"]) {
    const { firewall, keeper } = house();
    await keeper.follow(CAPTURE);
    const wanted = { ...CAPTURE, from: ["lan0", "lan1"] };
    const both = [() => keeper.follow(wanted), () => keeper.stopCapturing()];
    if (order === "stop first") both.reverse();
    await Promise.all(both.map((ask) => ask()));
    assert.equal(inPlace(firewall), "chain", order);
    await keeper.follow(wanted);
    keeper.setLeft("remote", ["203.0.113.1"]);
    await keeper.stopCapturing();
    assert.equal(inPlace(firewall), "chain", order);
    await keeper.remove();
    await keeper.follow(wanted);
    assert.equal(inPlace(firewall), "nothing", order);
  }
});

test("after many changes at once the kernel has the latest state, with few runs of the tools", async () => {
  const { firewall, keeper } = house();
  await keeper.follow(CAPTURE);
  const before = firewall.calls.length;
  for (let last = 1; last <= 50; last++) keeper.setLeft("remote", [`203.0.113.${last}`]);
  await keeper.follow({ ...CAPTURE, from: ["lan1"] });
  assert.match(firewall.save(Family.ipv4), /-d 203\.0\.113\.50\/32 -j RETURN/);
  assert.doesNotMatch(firewall.save(Family.ipv4), /203\.0\.113\.49|-i lan0/);
  assert.ok(firewall.calls.length - before <= 8, `${firewall.calls.length - before} runs`);
});

test("the same prefixes once more are no change; the prefixes of the other source stay", async () => {
  const { firewall, keeper } = house();
  keeper.setLeft("remote", ["203.0.113.1"]);
  keeper.setLeft("routes", ["192.0.2.0/24"]);
  await keeper.follow(CAPTURE);
  const before = firewall.calls.length;
  keeper.setLeft("remote", ["203.0.113.1"]);
  await keeper.stopCapturing();
  assert.ok(firewall.calls.length - before <= 4);
  const text = firewall.save(Family.ipv4);
  assert.match(text, /203\.0\.113\.1/);
  assert.match(text, /192\.0\.2\.0/);
});

for (const [what, without] of [
  ["rules = false", { ...CAPTURE, rules: false }],
  ["no [capture]", undefined],
] as const) {
  test(`a reload with ${what}: the jumps go at once, the chain goes when the captured flows have ended`, async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    using _ = { [Symbol.dispose]: () => mock.timers.reset() };
    const made = house();
    const { firewall, keeper } = made;
    await keeper.follow(CAPTURE);
    made.captured = 1;
    await keeper.follow(without);
    await aWhile();
    assert.equal(inPlace(firewall), "chain");
    made.captured = 0;
    await aWhile();
    assert.equal(inPlace(firewall), "nothing");
    await keeper.follow(CAPTURE);
    assert.equal(inPlace(firewall), "chain and jumps");
    await keeper.follow(without);
    await keeper.follow(CAPTURE);
    await aWhile();
    assert.equal(inPlace(firewall), "chain and jumps");
  });
}

test("a reload that asks for the rules while the last of them are removed gets them", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  using _ = { [Symbol.dispose]: () => mock.timers.reset() };
  for (const tool of ["iptables-save", "iptables-restore", "ip6tables-restore"]) {
    const { firewall, keeper } = house();
    await keeper.follow(CAPTURE);
    await keeper.follow(undefined);
    let asked: Promise<void> | undefined;
    firewall.intercept = ({ command }) => {
      if (command === tool) asked ??= keeper.follow(CAPTURE);
      return undefined;
    };
    await aWhile();
    await asked;
    assert.ok(asked, tool);
    assert.equal(inPlace(firewall), "chain and jumps", tool);
    await keeper.remove();
  }
});

test("rules that root has put in place after a reload with rules = false are left", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  using _ = { [Symbol.dispose]: () => mock.timers.reset() };
  const { firewall, keeper } = house();
  await keeper.follow(CAPTURE);
  await keeper.follow({ ...CAPTURE, rules: false });
  firewall.restore(
    Family.ipv4,
    '*nat\n-I PREROUTING -m comment --comment "managed-by:HAWSER" -j HAWSER\nCOMMIT\n',
  );
  await aWhile();
  assert.equal(inPlace(firewall), "chain and jumps");
  await keeper.remove();
  assert.equal(inPlace(firewall), "chain and jumps");
});

/** Waits until the keeper has looked, and has acted on it. */
async function aWhile(): Promise<void> {
  mock.timers.tick(1_000);
  await new Promise(setImmediate);
}

test("a lock that another program holds fails a reload but not a stop", async () => {
  const { firewall, keeper } = house();
  await keeper.follow(CAPTURE);
  locked(firewall);
  await assert.rejects(keeper.follow({ ...CAPTURE, from: ["lan1"] }), { code: "IPTABLES_LOCKED" });
  await keeper.stopCapturing();
  firewall.intercept = undefined;
  await keeper.remove();
  assert.equal(inPlace(firewall), "nothing");
});

test("when the tools know no sets, the rules do without them", async () => {
  const { firewall, keeper } = house();
  firewall.intercept = ({ command, input }) =>
    command.endsWith("-restore") && input.includes("--match-set")
      ? { code: 2, stdout: "", stderr: "Can't open socket to ipset." }
      : undefined;
  await keeper.follow(CAPTURE);
  assert.equal(inPlace(firewall), "chain and jumps");
  assert.doesNotMatch(firewall.save(Family.ipv4), /match-set/);
  firewall.intercept = undefined;
  keeper.setLeft("remote", ["203.0.113.1"]);
  await keeper.follow(CAPTURE);
  assert.doesNotMatch(firewall.save(Family.ipv4), /match-set/);
});

test("the rules ask for the kernel's sets", async () => {
  const { firewall, keeper } = house();
  await keeper.follow(CAPTURE);
  assert.match(firewall.save(Family.ipv6), /match-set HAWSER\.refused\.ipv6 dst,dst -j REJECT/);
});

/** Changes of the nat table that other programs make. */
const DAMAGES = {
  "all of the table": "-F PREROUTING\n-F HAWSER\n-X HAWSER",
  "all jumps": "-F PREROUTING",
  "the chain's rules": "-F HAWSER",
  "a REDIRECT before ours": "-I PREROUTING 1 -i lan0 -p tcp -j REDIRECT --to-ports 9",
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`rules that another program changes are put back: ${what}`, async () => {
    for (const family of [Family.ipv4, Family.ipv6]) {
      const { firewall, keeper, events, tell } = house();
      await keeper.follow(CAPTURE);
      assert.deepEqual(keeper.status, { inPlace: true, trouble: null });
      const before = firewall.save(family).match(/HAWSER.*/g);
      firewall.restore(family, `*nat\n${damage}\nCOMMIT\n`);
      tell("nft");
      await until(() => events.counts.get("rules-restored") === 1);
      assert.deepEqual(firewall.save(family).match(/HAWSER.*/g), before);
      assert.match(
        [...events.since(0)][0]?.message ?? "",
        new RegExp(`not in place: ${family} nat: .*by "nft"`),
      );
      assert.deepEqual(keeper.status, { inPlace: true, trouble: null });
      await keeper.remove();
    }
  });
}

test("the program that changed rules last is named, even when it did so during a check", async () => {
  const { firewall, keeper, events, tell } = house();
  await keeper.follow(CAPTURE);
  firewall.intercept = ({ command }) => {
    if (!command.endsWith("-save")) return undefined;
    firewall.intercept = undefined;
    firewall.restore(Family.ipv4, `*nat\n${DAMAGES["all jumps"]}\nCOMMIT\n`);
    tell("nft");
    return undefined;
  };
  tell("iptables");
  await until(() => events.counts.get("rules-restored") === 1);
  assert.match([...events.since(0)][0]?.message ?? "", /by "nft"/);
  await keeper.remove();
});

test("the gateway's own command is not named when another program interferes while it puts rules back", async () => {
  const { firewall, keeper, events, tell } = house();
  await keeper.follow(CAPTURE);
  firewall.intercept = ({ command }) => {
    if (!command.endsWith("-restore")) return undefined;
    firewall.intercept = undefined;
    tell("fail2ban");
    tell("iptables-restor");
    return undefined;
  };
  firewall.restore(Family.ipv4, `*nat\n${DAMAGES["all jumps"]}\nCOMMIT\n`);
  tell("nft");
  await until(() => events.counts.get("rules-restored") === 1);
  firewall.restore(Family.ipv4, `*nat\n${DAMAGES["all jumps"]}\nCOMMIT\n`);
  await until(() => events.counts.get("rules-restored") === 2);
  const lost = [...events.since(0)].filter(({ type }) => type === "rules-lost");
  assert.match(lost[1]?.message ?? "", /by "fail2ban"/);
  await keeper.remove();
});

test("when the kernel reports no changes, the rules are checked all the same", async () => {
  const { firewall, keeper, events } = house();
  await keeper.follow(CAPTURE);
  firewall.restore(Family.ipv6, `*nat\n${DAMAGES["all jumps"]}\nCOMMIT\n`);
  await until(() => events.counts.get("rules-restored") === 1);
  await keeper.remove();
});

test("after a fight the rules stay away, whatever else changes, until a reload asks for them", async () => {
  const { firewall, keeper, events, tell } = house();
  await keeper.follow(CAPTURE);
  for (let times = 0; times < 10 && events.counts.get("rules-given-up") === 0; times++) {
    const before = events.counts.get("rules-restored") ?? 0;
    firewall.restore(Family.ipv4, `*nat\n${DAMAGES["all jumps"]}\nCOMMIT\n`);
    tell("flusher");
    await until(
      () => events.counts.get("rules-restored") !== before || events.counts.get("rules-given-up") === 1,
    );
  }
  assert.equal(events.counts.get("rules-restored"), 5);
  assert.equal(inPlace(firewall), "chain");
  keeper.setLeft("routes", ["192.0.2.0/24"]);
  await new Promise(setImmediate);
  assert.equal(inPlace(firewall), "chain");
  assert.match(keeper.status?.trouble ?? "", /"flusher" took them away again each time/);
  await keeper.follow(CAPTURE);
  assert.equal(inPlace(firewall), "chain and jumps");
  assert.match(firewall.save(Family.ipv4), /192\.0\.2\.0/);
  assert.equal(keeper.status?.inPlace, true);
  await keeper.remove();
});

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error("not within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
