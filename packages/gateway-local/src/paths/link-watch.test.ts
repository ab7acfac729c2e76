import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import type { LocalAddress } from "@hawser/linux-sockets";
import { LEAST_GAP_MS, type Link, type LinkOwner, LinkWatch } from "./link-watch.ts";

const DSL = { interface: "ppp0", address: "192.0.2.5", family: 4, internal: false } as const;
const LTE = { interface: "wwan0", address: "2001:db8::7", family: 6, internal: false } as const;

/** A path that records what it is told. */
class Owner implements LinkOwner {
  readonly config: Link;
  /** The address of its connection. */
  readonly #address: string | undefined;
  readonly told: string[] = [];

  constructor(config: Link, address: string | undefined) {
    this.config = config;
    this.#address = address;
  }

  handleLinkLost(reason: string): void {
    this.told.push(reason);
  }

  handleLinkBack(): void {
    this.told.push("back");
  }

  handleAddressesGone(addresses: ReadonlySet<string>): void {
    if (this.#address && addresses.has(this.#address)) this.told.push(`${this.#address} is gone`);
  }
}

/** The addresses that the system lists, its reports of changes, and a watch on the test's clock. */
class System {
  addresses: readonly LocalAddress[] | undefined = [DSL, LTE];
  asked = 0;
  /** The listeners for changes. */
  readonly hearing = new Set<() => void>();
  /** Whether the kernel refuses to report changes. */
  refuses = false;
  readonly warnings: unknown[] = [];
  readonly watch: LinkWatch;
  readonly #context: TestContext;

  constructor(context: TestContext) {
    context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.#context = context;
    const logger = createLogger({ role: "local", name: "test", level: "silent" });
    context.mock.method(logger, "warn", (fields: unknown) => this.warnings.push(fields));
    this.watch = new LinkWatch({
      logger,
      list: () => {
        this.asked++;
        if (!this.addresses) throw new Error("EMFILE");
        return [...this.addresses];
      },
      hear: (onChange) => {
        if (this.refuses) throw new Error("EPERM");
        this.hearing.add(onChange);
        return { close: () => void this.hearing.delete(onChange) };
      },
    });
  }

  watched(config: Link, address?: string): Owner {
    const owner = new Owner(config, address);
    this.watch.add(owner);
    this.pass();
    return owner;
  }

  /** Lists these addresses from now on, and reports the change. */
  lists(...addresses: readonly LocalAddress[]): void {
    this.addresses = addresses;
    this.tell();
    this.pass();
  }

  /** Reports a change. */
  tell(): void {
    for (const onChange of this.hearing) onChange();
  }

  pass(ms = LEAST_GAP_MS): void {
    this.#context.mock.timers.tick(ms);
  }
}

describe("LinkWatch", () => {
  it("tells once that an interface goes, and tells that it is back", (t) => {
    const system = new System(t);
    const [dsl, lte] = [system.watched({ interface: "ppp0" }), system.watched({ interface: "wwan0" })];
    system.tell();
    system.lists(LTE);
    system.tell();
    system.lists(LTE, DSL);
    assert.deepEqual(dsl.told, ["the interface ppp0 is down or gone", "back"]);
    assert.deepEqual(lte.told, []);
  });

  it("with a source, watches the address, however it is written", (t) => {
    const system = new System(t);
    const source = system.watched({ source: "2001:0DB8:0:0::7" });
    const both = system.watched({ interface: "wwan0", source: "2001:db8::7" });
    system.lists(DSL, { ...LTE, interface: "wwan1" });
    assert.deepEqual(source.told, []);
    assert.deepEqual(both.told, ["the interface wwan0 is down or gone, or has lost the address 2001:db8::7"]);
    system.lists({ ...LTE, address: "2001:db8::8" });
    assert.deepEqual(source.told, ["the address 2001:0DB8:0:0::7 has left this machine"]);
  });

  it("tells that an address goes while its interface stays", (t) => {
    const system = new System(t);
    const dsl = system.watched({ interface: "ppp0" }, DSL.address);
    const lte = system.watched({ interface: "wwan0" }, LTE.address);
    const linkLocal = { ...DSL, address: "fe80::5" };
    system.lists(LTE, DSL, linkLocal);
    system.lists(LTE, linkLocal);
    system.lists(LTE, linkLocal, { ...DSL, address: "192.0.2.6" });
    assert.deepEqual(dsl.told, ["192.0.2.5 is gone"]);
    assert.deepEqual(lte.told, []);
  });

  it("a link that was never listed is not lost; its first appearance is told", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp1" });
    system.tell();
    assert.deepEqual(owner.told, []);
    system.lists({ ...DSL, interface: "ppp1" });
    assert.deepEqual(owner.told, ["back"]);
  });

  it("when listing fails nothing is told, and the list is asked for until it succeeds", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp0" });
    system.addresses = undefined;
    system.tell();
    system.pass();
    assert.deepEqual(owner.told, []);
    system.addresses = [LTE];
    system.pass();
    assert.deepEqual(owner.told, ["the interface ppp0 is down or gone"]);
  });

  it("looks only when something has changed, and not at all without owners", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp0" });
    const before = system.asked;
    system.pass(3_600_000);
    assert.equal(system.asked, before);
    system.watch.remove(owner);
    assert.equal(system.hearing.size, 0);
    system.lists();
    assert.equal(system.asked, before);
    assert.deepEqual(owner.told, []);
    system.watch.add(owner);
    system.lists(DSL);
    assert.deepEqual(owner.told, ["back"]);
  });

  it("looks at once at the first of a thousand changes, and once more at the rest", (t) => {
    const system = new System(t);
    const dsl = system.watched({ interface: "ppp0" });
    const before = system.asked;
    system.addresses = [LTE];
    system.tell();
    assert.deepEqual(dsl.told, ["the interface ppp0 is down or gone"]);
    for (let n = 1; n < 999; n++) system.tell();
    system.addresses = [LTE, DSL];
    system.tell();
    assert.equal(system.asked, before + 1);
    system.pass();
    assert.equal(system.asked, before + 2);
    assert.deepEqual(dsl.told.slice(1), ["back"]);
    system.pass(1_000);
    assert.equal(system.asked, before + 2);
  });

  it("an owner that is added before a change was reported hides the change from no other owner", (t) => {
    const system = new System(t);
    const dsl = system.watched({ interface: "ppp0" }, DSL.address);
    system.addresses = [LTE, { ...DSL, address: "192.0.2.6" }];
    system.watched({ interface: "wwan0" });
    assert.deepEqual(dsl.told, ["192.0.2.5 is gone"]);
  });

  it("a line that is known by its address alone follows the address to another interface", (t) => {
    const system = new System(t);
    const source = system.watched({ source: DSL.address }, DSL.address);
    const device = system.watched({ interface: "ppp0" }, DSL.address);
    system.lists(LTE, { ...DSL, interface: "ppp1" });
    assert.deepEqual(source.told, []);
    assert.deepEqual(device.told, ["the interface ppp0 is down or gone"]);
  });

  it("when the kernel reports no changes it looks once a second, and logs that once", (t) => {
    const system = new System(t);
    system.refuses = true;
    const dsl = system.watched({ interface: "ppp0" });
    system.addresses = [LTE];
    system.pass(1_000);
    assert.deepEqual(dsl.told, ["the interface ppp0 is down or gone"]);
    const before = system.asked;
    for (let second = 0; second < 10; second++) system.pass(1_000);
    assert.equal(system.asked, before + 10);
    system.watch.remove(dsl);
    system.pass(10_000);
    assert.equal(system.asked, before + 10);
    system.watch.add(dsl);
    assert.equal(system.warnings.length, 1);
    system.watch.remove(dsl);
  });
});
