import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { originalDestination } from "./original-destination.ts";
import { createPinnedSocket } from "./pinned-socket.ts";

/*
 * With real netfilter rules, in a network namespace of its own:
 *
 *   client --> 203.0.113.9:80, [2001:db8::1:0:9]:443   (no such hosts; the default route leads to a veth pair)
 *              | nat OUTPUT: REDIRECT --to-ports 12345
 *              v
 *   listener on [::]:12345, asked for the original destination
 */

const LISTEN = 12345;
const role = process.env["HAWSER_TEST_ROLE"];

interface Report {
  peer: string | undefined;
  found: unknown;
}

async function probe(): Promise<void> {
  const server = createServer().listen(LISTEN, "::");
  await once(server, "listening");
  const ask = async (client: Socket): Promise<Report> => {
    const [socket] = (await once(server, "connection")) as [Socket];
    const report = { peer: socket.remoteAddress, found: originalDestination(socket) };
    client.destroy();
    socket.destroy();
    return report;
  };
  const reports = [
    await ask(connect({ host: "203.0.113.9", port: 80, family: 4 })),
    await ask(connect({ host: "2001:db8::1:0:9", port: 443, family: 6 })),
    await ask(connect({ host: "127.0.0.1", port: LISTEN })),
    await ask(connect({ host: "::1", port: LISTEN })),
  ];
  // Pinned to the veth pair the connection must leave by it, where nobody answers, although the routing table
  // has the loopback for this address. Without the pinning it arrives at the listener within a millisecond.
  const lost = createPinnedSocket({ family: 4, interface: "line0" }).connect({
    host: "127.0.0.1",
    port: LISTEN,
  });
  const outcome = await Promise.race([
    once(lost, "connect").then(
      () => "connected",
      () => "failed",
    ),
    new Promise((resolve) => setTimeout(resolve, 300, "unanswered")),
  ]);
  lost.destroy();
  console.log(JSON.stringify({ reports, outcome }));
  server.close();
  process.exit(0);
}

const SETUP = [
  "ip link set lo up",
  "ip link add line0 type veth peer name line1",
  "ip addr add 10.9.9.1/24 dev line0",
  "ip -6 addr add 2001:db8:9::1/64 dev line0 nodad",
  "ip link set line0 up",
  "ip link set line1 up",
  "ip route add default dev line0",
  "ip -6 route add default dev line0",
  `iptables -w -t nat -A OUTPUT -p tcp -d 203.0.113.0/24 -j REDIRECT --to-ports ${LISTEN}`,
  `ip6tables -w -t nat -A OUTPUT -p tcp -d 2001:db8::/64 -j REDIRECT --to-ports ${LISTEN}`,
];

function whyNot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  for (const tool of ["ip", "iptables", "ip6tables"]) {
    if (spawnSync(tool, ["-V"]).error !== undefined) return `${tool} is not installed`;
  }
  return false;
}

if (role === "probe") {
  await probe();
}

test("redirected connections tell their original destination", { skip: whyNot() }, async (t) => {
  const name = `hw${process.pid}od`;
  const added = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (added.status !== 0) return t.skip(`no network namespaces here: ${added.stderr.trim()}`);
  t.after(() => execFileSync("ip", ["netns", "del", name]));
  for (const command of SETUP) {
    const run = spawnSync("ip", ["netns", "exec", name, ...command.split(" ")], { encoding: "utf8" });
    if (run.status !== 0) return t.skip(`${command}: ${run.stderr.trim()}`);
  }
  const env = { ...process.env, HAWSER_TEST_ROLE: "probe" };
  const command = ["netns", "exec", name, process.execPath, fileURLToPath(import.meta.url)];
  const run = spawnSync("ip", command, { env, encoding: "utf8", timeout: 15_000 });
  assert.ok(run.stdout.startsWith("{"), `${run.stdout}${run.stderr}`);
  const { reports, outcome } = JSON.parse(run.stdout) as { reports: Report[]; outcome: string };
  const [v4, v6, direct, direct6] = reports;
  assert.deepEqual(v4?.found, { address: "203.0.113.9", family: 4, port: 80 });
  assert.match(v4?.peer ?? "", /^::ffff:/, "an IPv4 client of an IPv6 listener");
  assert.deepEqual(v6?.found, { address: "2001:db8::1:0:9", family: 6, port: 443 });
  // Conntrack knows direct connections too, and answers with the listener: the caller's loop guard.
  assert.deepEqual(direct?.found, { address: "127.0.0.1", family: 4, port: LISTEN });
  assert.deepEqual(direct6?.found, { address: "::1", family: 6, port: LISTEN });
  assert.notEqual(outcome, "connected", "SO_BINDTODEVICE must overrule the routing table");
});
