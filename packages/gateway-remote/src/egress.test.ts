import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createLogger, type SessionDriver } from "@hawser/gateway-kit";
import { generateSecret, StreamCode } from "@hawser/shared-protocol";
import { type PeerAccess, PeerAccesses } from "./authorization/peer-access.ts";
import { parseRemoteFile } from "./config.ts";
import { Egress, isHost } from "./egress.ts";
import type { WayOut } from "./way-out.ts";

const DISCARD_PORT = 9;

/** A peer that may reach `allow`, the log of its egress, and the codes that its streams are reset with. */
function egressOf(allow: string): {
  egress: Egress;
  lines: string[];
  resets: StreamCode[];
  all: Promise<void>;
  access: PeerAccess;
} {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const key = generateSecret().revealBase64url();
  const text = `listen = ["127.0.0.1:4433"]\n[[peer]]\nname = "home"\nkey = "${key}"\nallow = [${allow}]\n`;
  const { peer: peers, status, ...rest } = parseRemoteFile(text, "remote.toml");
  const accesses = new PeerAccesses(
    { ...rest, identity: generateSecret(), peers, problems: [], status: { ...status, token: undefined } },
    createLogger({ role: "remote", name: "test", level: "info", destination }),
  );
  const resets: StreamCode[] = [];
  const all = Promise.withResolvers<void>();
  const reset = (_: number, code: StreamCode): void => {
    if (resets.push(code) === MANY) all.resolve();
  };
  const wayOut = { noteUnreachable: () => {} } as unknown as WayOut;
  const session = { stream: () => undefined };
  const driver = { session, reset, adopt: () => {}, end: () => {} } as unknown as SessionDriver;
  const access = accesses.of("home");
  return {
    access,
    egress: new Egress(driver, access, wayOut, "0123", () => {}),
    lines,
    resets,
    all: all.promise,
  };
}

const MANY = 50;

for (const [what, allow, code, kind, message] of [
  ["refused flows", '"public"', StreamCode.notAllowed, "refused notAllowed", "refused a flow"],
  ["failed dials", '"127.0.0.1"', StreamCode.refused, "refused", "could not reach the destination"],
] as const) {
  test(`${what} do not fill the log: a few lines, then one with the number of the rest`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { egress, lines, resets, all } = egressOf(allow);
      const destination = { host: "127.0.0.1", port: DISCARD_PORT };
      for (let n = 0; n < MANY; n++)
        egress.open(n, { kind: "redirect", destination, source: { host: "", port: 0 } });
      await all;
      assert.ok(resets.every((each) => each === code));
      assert.equal(lines.length, 3);
      assert.match(
        lines[0] ?? "",
        /"peer":"home","session":"0123","flow":0,"to":\{"host":"127.0.0.1","port":9\}/,
      );
      mock.timers.tick(10_000);
      const { kind: counted, more, msg } = JSON.parse(lines[3] ?? "{}") as Record<string, unknown>;
      assert.deepEqual([counted, more, msg], [kind, MANY - 3, `${message}: more of these`]);
      assert.equal(lines.length, 4);
    } finally {
      mock.timers.reset();
    }
  });
}

test("a dial is given up after half a minute, name resolution included", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { egress, resets, access } = egressOf('"public"');
  mock.method(access.names, "resolve", () => new Promise(() => {}));
  const destination = { host: "never.example", port: 80 };
  egress.open(0, { kind: "redirect", destination, source: { host: "", port: 0 } });
  mock.timers.tick(29_999);
  assert.deepEqual([resets, egress.flows.size], [[], 1]);
  mock.timers.tick(1);
  assert.deepEqual([resets, egress.flows.size], [[StreamCode.timeout], 0]);
  mock.timers.reset();
});

test("a peer may have addresses and names dialled, but no text that Node throws at or takes for localhost", () => {
  for (const host of [
    "192.0.2.1",
    "2001:db8::1",
    "origin.example",
    "xn--bcher-kva.example",
    "bücher.example",
  ]) {
    assert.ok(isHost(host), host);
  }
  for (const host of ["", "a\0b", "a b", "a\nb", "\u007f", "\u0085"]) {
    assert.ok(!isHost(host), JSON.stringify(host));
  }
});
