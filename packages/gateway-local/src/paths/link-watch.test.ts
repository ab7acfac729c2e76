import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { LocalAddress } from "@hawser/linux-sockets";
import { type Link, type LinkOwner, LinkWatch, PERIOD_MS } from "./link-watch.ts";

const DSL = { interface: "ppp0", address: "192.0.2.5", family: 4, internal: false } as const;
const LTE = { interface: "wwan0", address: "2001:db8::7", family: 6, internal: false } as const;

/** A path that notes what it is told. */
class Owner implements LinkOwner {
  readonly config: Link;
  /** Its connection's own address. */
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

/** What the system lists, and a watch that asks it when the test's clock says so. */
class System {
  addresses: readonly LocalAddress[] | undefined = [DSL, LTE];
  asked = 0;
  readonly watch: LinkWatch;
  readonly #context: TestContext;

  constructor(context: TestContext) {
    context.mock.timers.enable({ apis: ["setInterval"] });
    this.#context = context;
    this.watch = new LinkWatch(() => {
      this.asked++;
      if (!this.addresses) throw new Error("EMFILE");
      return [...this.addresses];
    });
  }

  watched(config: Link, address?: string): Owner {
    const owner = new Owner(config, address);
    this.watch.add(owner);
    return owner;
  }

  /** This is listed from now on, and asked for once. */
  lists(...addresses: readonly LocalAddress[]): void {
    this.addresses = addresses;
    this.tick();
  }

  tick(): void {
    this.#context.mock.timers.tick(PERIOD_MS);
  }
}

describe("LinkWatch", () => {
  it("tells of an interface that goes, once, and of its return", (t) => {
    const system = new System(t);
    const [dsl, lte] = [system.watched({ interface: "ppp0" }), system.watched({ interface: "wwan0" })];
    system.tick();
    system.lists(LTE);
    system.tick();
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

  it("tells of an address that goes while its interface stays", (t) => {
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

  it("what was never listed is not lost; its first appearance is told", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp1" });
    system.tick();
    assert.deepEqual(owner.told, []);
    system.lists({ ...DSL, interface: "ppp1" });
    assert.deepEqual(owner.told, ["back"]);
  });

  it("a system that does not say tells nothing", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp0" });
    system.addresses = undefined;
    system.tick();
    assert.deepEqual(owner.told, []);
  });

  it("asks only while something is watched", (t) => {
    const system = new System(t);
    const owner = system.watched({ interface: "ppp0" });
    system.watch.remove(owner);
    system.asked = 0;
    system.lists();
    assert.equal(system.asked, 0);
    assert.deepEqual(owner.told, []);
    system.watch.add(owner);
    system.lists(DSL);
    assert.deepEqual(owner.told, ["back"]);
  });
});
