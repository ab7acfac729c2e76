import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import type { LocalAddress } from "@hawser/linux-sockets";
import { RemoteAddresses } from "../remote-addresses.ts";
import { type DialTarget, dialTargets, TargetRotation } from "./dial-targets.ts";
import type { Link } from "./link-watch.ts";

const FOUR = { address: "192.0.2.1", family: 4 } as const;
const SIX = { address: "2001:db8::1", family: 6 } as const;
const NAMES: Record<string, LookupAddress[]> = { "vps.example": [SIX, FOUR], "six.example": [SIX] };
const VPS = { host: "vps.example", port: 4433 };

const LOCAL: LocalAddress[] = [
  { interface: "lte", address: "10.0.0.2", family: 4, internal: false },
  { interface: "lte", address: "fe80::2", family: 6, internal: false },
  { interface: "dsl", address: "192.0.2.9", family: 4, internal: false },
  { interface: "dsl", address: "2001:db8:9::2", family: 6, internal: false },
];

function remote(): RemoteAddresses {
  const find = async (host: string): Promise<LookupAddress[]> => {
    const found = NAMES[host];
    if (!found) throw new Error(`ENOTFOUND ${host}`);
    return found;
  };
  return new RemoteAddresses(() => {}, find);
}

async function addressesFor(link: Link, ...endpoints: { host: string; port: number }[]): Promise<string[]> {
  const targets = await dialTargets(link, endpoints, remote(), () => LOCAL);
  return targets.map(({ address, endpoint: { port } }) => `${address} ${port}`);
}

test("a line is dialled at addresses of the families that it has", async () => {
  assert.deepEqual(await addressesFor({ interface: "lte" }, VPS), ["192.0.2.1 4433"]);
  assert.deepEqual(await addressesFor({ interface: "dsl" }, VPS), ["2001:db8::1 4433", "192.0.2.1 4433"]);
  assert.deepEqual(await addressesFor({ source: "192.0.2.9" }, VPS), ["192.0.2.1 4433"]);
});

test("a line without an address, or with none of a fitting family, is dialled all the same", async () => {
  assert.deepEqual(await addressesFor({ interface: "ppp0" }, VPS), ["2001:db8::1 4433", "192.0.2.1 4433"]);
  const six = { host: "six.example", port: 443 };
  assert.deepEqual(await addressesFor({ interface: "lte" }, six), ["2001:db8::1 443"]);
  assert.deepEqual(await addressesFor({ interface: "lte" }, six, VPS), ["192.0.2.1 4433"]);
});

test("a name that does not resolve leaves the other endpoints; with none left the error says why", async () => {
  const nowhere = { host: "nowhere.example", port: 1 };
  assert.deepEqual(await addressesFor({ interface: "lte" }, nowhere, VPS), ["192.0.2.1 4433"]);
  await assert.rejects(addressesFor({ interface: "lte" }, nowhere), /ENOTFOUND nowhere/);
  await assert.rejects(
    addressesFor({ source: "192.0.2.9" }, { host: "six.example", port: 1 }),
    /six\.example has no IPv4 address, and path\.source is 192\.0\.2\.9/,
  );
});

test("each target has its turn, and a target that has served comes first from then on", () => {
  const [a, b, c] = ["a", "b", "c"].map((address): DialTarget => ({ endpoint: VPS, address, family: 4 })) as [
    DialTarget,
    DialTarget,
    DialTarget,
  ];
  const rotation = new TargetRotation();
  const picks = (count: number, targets: readonly DialTarget[]): string =>
    Array.from({ length: count }, () => rotation.pick(targets).address).join("");
  assert.equal(picks(4, [a, b, c]), "abca");
  // Name servers change the order of addresses, and that must skip no target.
  assert.equal(picks(2, [c, b, a]), "cb");
  rotation.handleServed(b);
  assert.equal(picks(5, [a, b, c]), "bacba");
  rotation.restart();
  assert.equal(picks(1, [a, b, c]), "b");
  assert.equal(picks(2, [a, c]), "ac");
});
