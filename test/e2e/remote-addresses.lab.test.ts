/** A remote gateway that is known by a name, with an address of each family and without a name server that answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { giveEtc } from "./etc.ts";

const NAME = "vps.example";
/** Another address of the remote (TEST-NET-3 of RFC 5737). */
const OTHER = "203.0.113.7";
/** How long getaddrinfo(3) waits for the name server, seconds. */
const SILENCE_S = 4;

suite("the remote's addresses", { skip: labMissing() ?? false }, () => {
  let house: House;
  let hawser: Hawser;
  let hosts: string;
  let etc: Disposable;

  before(async () => {
    house = await House.create({ lines: ["four", "six"].map((name) => ({ name, kind: "veth" })) });
    const { v4, v6 } = house.addresses.remote;
    hosts = `${v6} ${NAME}\n${v4} ${NAME}\n`;
    const resolver = `nameserver ${v4}\noptions timeout:${SILENCE_S} attempts:1\n`;
    etc = giveEtc(house.router, { hosts, "resolv.conf": resolver });
    await house.remote.exec("iptables", ["-I", "INPUT", "-p", "udp", "--dport", "53", "-j", "DROP"]);
    hawser = await Hawser.start(house);
    const pairing = readFileSync(hawser.file("pairing.txt"), "utf8");
    hawser.write("pairing.txt", pairing.replace(v4, NAME));
    await hawser.local.stop();
    // The name has two addresses. Whichever comes first, one of the lines reaches only the other.
    await house.router.ip(["-6 addr flush dev four scope global", "-6 route flush dev four"]);
    await house.router.ip(["-4 addr flush dev six", "-4 route flush dev six"]);
  });

  after(() => tearDown(hawser, etc, house));

  test("the gateway starts while the name server is silent, and joins once the name resolves", async () => {
    await setHosts("");
    const started = performance.now();
    await hawser.startLocal();
    await until(async () => hawser.local.logText().split('"running"').length === 3);
    assert.ok(performance.now() - started < SILENCE_S * 1_000, "it waited for the name server");
    await setHosts(hosts);
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
  });

  test("each line reaches it at an address of a family that it has; the rules know them all", async () => {
    const { remote, lineEnds } = house.addresses;
    const pairs = [
      [lineEnds(1).router.v4, remote.v4],
      [lineEnds(2).router.v6, remote.v6],
    ] as const;
    const connections = await list("ss", "-Htn", "dport", "=", "4433");
    for (const [from, to] of pairs)
      assert.ok(
        connections.split("\n").some((line) => line.includes(from) && line.includes(to)),
        `${from} to ${to}:\n${connections}`,
      );
    await until(async () => (await list("iptables", "-t", "nat", "-S")).includes(`-d ${remote.v4}/32`));
    await until(async () => (await list("ip6tables", "-t", "nat", "-S")).includes(`-d ${remote.v6}/128`));
  });

  test("a line is dialled again without a name server", async () => {
    await setHosts("");
    const joins = (): number => hawser.local.logText().split('"state":"joined"').length;
    const before = joins();
    await list("ss", "-K", "-t", "src", house.addresses.lineEnds(1).router.v4, "dport", "=", "4433");
    const started = performance.now();
    await until(async () => joins() > before);
    assert.ok(performance.now() - started < SILENCE_S * 1_000);
    await setHosts(hosts);
  });

  test("a silent address gives way as soon as the name has another", async () => {
    const { remote, lineEnds } = house.addresses;
    const { v4: from } = lineEnds(1).router;
    const silenced = ["INPUT", "-p", "tcp", "-d", remote.v4, "--dport", "4433", "-j", "DROP"];
    await house.remote.exec("iptables", ["-I", ...silenced]);
    await house.remote.ip([`addr add ${OTHER}/32 dev lo`]);
    await list("ss", "-K", "-t", "src", from, "dport", "=", "4433");
    await until(async () => (await pathFour())?.lastError?.includes(`no answer from ${remote.v4}`) === true);
    await setHosts(`${hosts}${OTHER} ${NAME}\n`);
    await until(async () => (await list("ss", "-Htn", "src", from, "dst", OTHER)) !== "");
    await house.remote.exec("iptables", ["-D", ...silenced]);
  });

  async function pathFour(): Promise<{ lastError: string | null } | undefined> {
    return (await hawser.status()).session.paths.find(({ name }) => name === "four");
  }

  async function list(command: string, ...args: string[]): Promise<string> {
    return (await house.router.exec(command, args)).stdout;
  }

  /** Writes the file in place: the gateway has this very file mounted. */
  async function setHosts(text: string): Promise<void> {
    await house.router.exec("sh", ["-c", "cat > /etc/hosts"], { input: text });
  }
});
