import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalAddress } from "@hawser/shared-protocol/node";
import type { Endpoint } from "@hawser/shared-protocol/wire";
import { advertised, noteOnReach } from "./reach.ts";

const ADDRESSES: readonly LocalAddress[] = [
  ["lo", "127.0.0.1", 4],
  ["eth0", "10.0.0.5", 4],
  ["lo", "203.0.113.7", 4],
  ["eth0", "fe80::1", 6],
  ["eth0", "2001:db8::7", 6],
  ["wg0", "fd00::7", 6],
].map(
  ([name, address, family]) =>
    ({ interface: name, address, family, internal: name === "lo" }) as LocalAddress,
);

function reach(listen: readonly string[], advertise: readonly string[] = [], addresses = ADDRESSES) {
  const endpoint = (text: string): Endpoint => {
    const [, host = "", port] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? [];
    return { host, port: Number(port) };
  };
  const written = { listen: listen.map(endpoint), advertise: advertise.map(endpoint) };
  const named = (): string[] =>
    advertised("remote.toml", written, [...addresses]).map(({ host, port }) => `${host} ${port}`);
  return { named, note: noteOnReach(written, [...addresses]) };
}

test("a pairing line names what is written, without a word", () => {
  for (const [listen, advertise, named] of [
    [["0.0.0.0:4433"], ["vps.example:443"], ["vps.example 443"]],
    [["127.0.0.1:1", "0.0.0.0:2"], [], ["127.0.0.1 1"]],
    [["10.0.0.5:4433"], [], ["10.0.0.5 4433"]],
  ] as const) {
    const found = reach(listen, advertise);
    assert.deepEqual([found.named(), found.note], [named, undefined]);
  }
});

test("or the machine's public addresses, and says so", () => {
  const all = reach(["[::]:4433"]);
  assert.deepEqual(all.named(), ["203.0.113.7 4433", "2001:db8::7 4433"]);
  assert.match(
    all.note ?? "",
    /203\.0\.113\.7:4433 and \[2001:db8::7\]:4433, this machine's public addresses; .*advertise = /,
  );
  const four = reach(["0.0.0.0:4433"]);
  assert.deepEqual(four.named(), ["203.0.113.7 4433"]);
  assert.match(four.note ?? "", /this machine's public address;/);
});

test("behind a translator, or with a port of the kernel's choice, somebody has to say it", () => {
  const hidden = ADDRESSES.filter(({ address }) => !address.startsWith("2"));
  for (const found of [reach(["[::]:4433"], [], hidden), reach(["0.0.0.0:0"])]) {
    assert.throws(found.named, /remote\.toml: advertise: is needed/);
    assert.match(found.note ?? "", /^advertise: is needed .*"vps\.example:4433"/);
  }
});
