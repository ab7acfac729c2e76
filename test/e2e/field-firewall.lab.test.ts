/** People and programs reload a router's firewall. The gateway puts its redirect rules back, and says what happened. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { GatewayEvent } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask } from "./sockets.ts";

/** How long the LAN may go past Hawser, milliseconds. */
const BACK_WITHIN_MS = 3_000;
const FAMILIES = [
  ["v4", "iptables", "::ffff:198.51.100.1"],
  ["v6", "ip6tables", "2001:db8:100::1"],
] as const;

describe("a firewall that is reloaded", { skip: labMissing("nft") ?? false, timeout: 300_000 }, () => {
  let house: House;
  let hawser: Hawser;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));
  beforeEach(async () => {
    await until(async () => (await rules()).every((text) => text.includes("-j HAWSER")));
    // After a reload, earlier losses no longer count. A reload under way would put the rules back without an event.
    const since = await lastId();
    hawser.local.process.kill("SIGHUP");
    await until(async () => (await eventsAfter(since)).some(({ type }) => type === "reloaded"));
    await until(async () => (await health()).code === 200);
  });

  async function rules(): Promise<string[]> {
    const texts = await Promise.all(
      FAMILIES.map(([, tool]) => house.router.exec(`${tool}-save`, ["-t", "nat"])),
    );
    return texts.map(({ stdout }) => stdout);
  }

  async function health(): Promise<{ code: number; reason: string }> {
    const [code, body] = await hawser.local.answer("/healthz");
    return { code, reason: (JSON.parse(body) as { reason: string }).reason };
  }

  /** The events about rules after the event with this id. */
  async function told(since: number): Promise<GatewayEvent[]> {
    return (await eventsAfter(since)).filter(({ type }) => type.startsWith("rules-"));
  }

  async function eventsAfter(since: number): Promise<GatewayEvent[]> {
    return (await hawser.local.get(`/api/events?since=${since}`)) as GatewayEvent[];
  }

  async function lastId(): Promise<number> {
    return ((await hawser.local.get("/api/events")) as GatewayEvent[]).at(-1)?.id ?? 0;
  }

  async function seenAs(host: string): Promise<string> {
    return (await ask(house.lan, { host, port: ORIGIN_PORT }, "WHO\n")).split(" ")[0] ?? "";
  }

  /** Removes the rules as often as the gateway puts them back. */
  async function takeAway(tool: string, since: number): Promise<void> {
    const last = async (): Promise<string | undefined> => (await told(since)).at(-1)?.type;
    for (let times = 0; times < 10 && (await last()) !== "rules-given-up"; times++) {
      await house.router.exec(tool, ["-t", "nat", "-F", "PREROUTING"]);
      const before = (await told(since)).length;
      await until(async () => (await told(since)).length > before && (await last()) !== "rules-lost");
    }
    assert.equal(await last(), "rules-given-up");
  }

  const DAMAGES: [what: string, command: (tool: string) => string, lost: (text: string) => boolean][] = [
    ["nft flush ruleset", () => "nft flush ruleset", (text) => !text.includes("HAWSER")],
    ["-t nat -F PREROUTING", (tool) => `${tool} -t nat -F PREROUTING`, (text) => !text.includes("-j HAWSER")],
    ["-t nat -F", (tool) => `${tool} -t nat -F`, (text) => !text.includes("REDIRECT")],
    [
      "the jump alone",
      (tool) =>
        `${tool} -t nat -D PREROUTING -i lan0 -p tcp -m comment --comment managed-by:HAWSER -j HAWSER`,
      (text) => !text.includes("-j HAWSER"),
    ],
    [
      "a foreign REDIRECT before it",
      (tool) => `${tool} -t nat -I PREROUTING -i lan0 -p tcp -j REDIRECT --to-ports 9`,
      (text) => text.indexOf("--to-ports 9\n") < text.indexOf("-j HAWSER"),
    ],
  ];

  for (const [i, [family, tool, remote]] of FAMILIES.entries()) {
    for (const [what, command, isLost] of DAMAGES) {
      test(`${family}, ${what}: the rules are back within 3 s, with events and a count`, async () => {
        const since = await lastId();
        await house.router.exec("sh", ["-c", command(tool)]);
        const started = performance.now();
        await until(async () => !isLost((await rules())[i] ?? ""), BACK_WITHIN_MS);
        const took = performance.now() - started;
        assert.ok(took < BACK_WITHIN_MS, `${took} ms`);
        assert.equal(await seenAs(house.addresses.origin[family]), remote);
        await until(async () => (await told(since)).length === 2);
        const [lost, restored] = await told(since);
        assert.equal(lost?.type, "rules-lost");
        const by = what.startsWith("nft") ? "nft" : tool;
        assert.match(lost?.message ?? "", new RegExp(`ip${family} nat: .*changed by "${by}"`));
        assert.equal(restored?.type, "rules-restored");
        const { stdout } = await hawser.local.curl("/metrics");
        assert.match(stdout, /^hawser_rules_in_place 1$/m);
        assert.match(stdout, /^hawser_events_total\{type="rules-lost"\} [1-9]/m);
        assert.equal((await health()).code, 200);
        await house.router.exec("sh", [
          "-c",
          `${tool} -t nat -D PREROUTING -i lan0 -p tcp -j REDIRECT --to-ports 9 || true`,
        ]);
      });
    }
  }

  test("when a program removes the rules again and again, the gateway gives in and says so; a reload tries anew", async () => {
    const since = await lastId();
    await takeAway("iptables", since);
    const { code, reason } = await health();
    assert.equal(code, 503);
    assert.match(
      reason,
      /put back 5 times, and "iptables" took them away again each time.*systemctl reload hawser-local/,
    );
    assert.match((await hawser.local.curl("/metrics")).stdout, /^hawser_rules_in_place 0$/m);
    assert.match(
      (await hawser.runLocal(["status", "-c", hawser.file("local.toml")])).stdout,
      /redirect rules are not in/,
    );
    assert.match(hawser.local.logText(), /"level":"warn".*took them away again each time/);
    const restored = (await told(since)).filter(({ type }) => type === "rules-restored");
    assert.equal(restored.length, 5);
    assert.doesNotMatch((await rules())[0] ?? "", /-j HAWSER/);
    hawser.local.process.kill("SIGHUP");
    await until(async () => (await health()).code === 200);
    assert.match((await rules())[0] ?? "", /-j HAWSER/);
  });

  test("when another program puts the rules back, the gateway says so, and the trouble ends", async () => {
    const since = await lastId();
    await takeAway("ip6tables", since);
    await hawser.runLocal(["rules", "apply"]);
    await until(async () => (await told(since)).at(-1)?.type === "rules-restored");
    assert.match((await told(since)).at(-1)?.message ?? "", /are in place again/);
    assert.equal((await health()).code, 200);
    assert.match((await rules())[1] ?? "", new RegExp(`REDIRECT --to-ports ${CAPTURE_PORT}`));
  });
});
