/** The doctor in houses with faults. It names each fault, and its mend, typed as printed, ends the fault. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import type { Namespace } from "../lab/namespace.ts";
import { labMissing } from "../lab/requirements.ts";
import { type RunningOrigin, startOrigin } from "../lab/traffic/run.ts";
import { NOBODY, type ProgramResult, programFile, reload, runProgram, TWO_VETHS } from "./support.ts";

interface Finding {
  readonly level: "ok" | "note" | "bad";
  readonly subject: string;
  readonly text: string;
  readonly mend?: string;
}

/** Plays a machine without iptables: it hides the folder in which Debian has iptables. */
const WITHOUT_SBIN = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /usr/sbin && exec "$0" "$@"'];
/** The gateway looks at its rules' counters every 10 s, and judges by two samples. */
const NOTICED_MS = 45_000;

suite("doctor", { skip: labMissing("nft") ?? false, timeout: 300_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let origin: RunningOrigin;

  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    origin = await startOrigin(house.origin);
    hawser = await Hawser.start(house);
    // The command as a user types it, without the file's name.
    mkdirSync(hawser.file("bin"));
    const command = `#!/bin/sh\nexec '${process.execPath}' '${programFile("hawser-local")}' "$@" -c '${hawser.file("local.toml")}'\n`;
    writeFileSync(hawser.file("bin/hawser-local"), command);
    chmodSync(hawser.file("bin/hawser-local"), 0o755);
  });
  after(() => tearDown(hawser, house));

  const run = (file: string, wrap: readonly string[] = [], ...words: string[]): Promise<ProgramResult> =>
    runProgram(house.router, "hawser-local", ["doctor", "-c", hawser.file(file), ...words], "", { wrap });

  async function findings(
    file = "local.toml",
    wrap: readonly string[] = [],
  ): Promise<{ code: number | null; all: Finding[] }> {
    const { code, stdout, stderr } = await run(file, wrap, "--json");
    assert.equal(stderr, "");
    return { code, all: JSON.parse(stdout) as Finding[] };
  }

  /** Asserts that these patterns, one each, match all bad findings. */
  async function assertBad(
    patterns: readonly RegExp[],
    file?: string,
    wrap?: readonly string[],
  ): Promise<Finding[]> {
    const { code, all } = await findings(file, wrap);
    const bad = all.filter(({ level }) => level === "bad");
    const texts = bad.map(({ subject, text, mend }) => `${subject}: ${text} -> ${mend}`);
    assert.equal(bad.length, patterns.length, texts.join("\n"));
    for (const [i, pattern] of patterns.entries()) assert.match(texts[i] ?? "", pattern);
    assert.equal(code, 1);
    return bad;
  }

  async function assertWell(): Promise<void> {
    const { code, all } = await findings();
    assert.deepEqual(
      all.filter(({ level }) => level === "bad"),
      [],
    );
    assert.equal(code, 0);
  }

  /** Types the first command of a mend. */
  async function type(finding: Finding | undefined): Promise<void> {
    const command = /`([^`]+)`/.exec(finding?.mend ?? "")?.[1] ?? "false";
    const env = { ...process.env, PATH: `${hawser.file("bin")}:${process.env["PATH"]}:/usr/sbin` };
    await house.router.exec("sh", ["-c", command], { env });
  }

  /**
   * Connects from the LAN. Rejects with exit code 124 when there is no answer, with 1 when the connection is refused.
   */
  const connect = (seconds = 5): Promise<unknown> => {
    const { v4 } = house.addresses.origin;
    return house.lan.exec("timeout", [`${seconds}`, "bash", "-c", `exec 3<>/dev/tcp/${v4}/${origin.port}`]);
  };

  async function withFile(edit: (text: string) => string, work: () => Promise<void>): Promise<void> {
    const text = readFileSync(hawser.file("local.toml"), "utf8");
    hawser.write("other.toml", edit(text));
    assert.notEqual(edit(text), text);
    await work();
  }

  const iptables = (namespace: Namespace, ...words: string[]): Promise<unknown> =>
    namespace.exec("iptables", words);

  test("before a device of the LAN has connected, the doctor does not say that its connections arrive; afterwards it does", async () => {
    const subject = "connections of the LAN by IPv4";
    const before = (await findings()).all.find((each) => each.subject === subject);
    assert.deepEqual(
      [before?.level, before?.text],
      ["note", "none has come yet, so it is not proven that they arrive"],
    );
    await connect();
    const after = (await findings()).all.find((each) => each.subject === subject);
    assert.deepEqual([after?.level, after?.text], ["ok", "they arrive: 1 so far"]);
    const { code, stdout } = await run("local.toml");
    assert.equal(code, 0);
    assert.match(stdout, /\n\d+ ok, \d+ notes?, 0 bad\n$/);
  });

  test("the doctor finds in the routing table that a line has no default route, and its mend works", async () => {
    await house.router.ip(["route del default dev adsl2"]);
    const started = performance.now();
    const [finding] = await assertBad([/^path adsl2: route to 203\.0\.113\.1: there is none over adsl2/]);
    assert.ok(performance.now() - started < 3_000, "it waited for a time-out");
    assert.match(finding?.mend ?? "", /^`ip route add default via 100\.64\.2\.1 dev adsl2 metric 200`; /);
    await type(finding);
    await assertWell();
  });

  test("a line with a route is not said to lack one when a router says that the VPS is unreachable", async () => {
    const reject = [
      "INPUT",
      "-i",
      "adsl2",
      "-p",
      "tcp",
      "--syn",
      "-j",
      "REJECT",
      "--reject-with",
      "icmp-host-unreachable",
    ];
    await iptables(house.remote, "-I", ...reject);
    await assertBad([
      /^path adsl2: remote .*the line's router 100\.64\.2\.1 says that it cannot be reached \(EHOSTUNREACH\); the route over adsl2 is there -> .*`ping -I adsl2 203/,
    ]);
    await iptables(house.remote, "-D", ...reject);
    await assertWell();
  });

  test("the doctor finds a strict reverse-path filter that makes a line silent, and its mend works", async () => {
    // As in most houses, no rule sends packets from the line's address over the line.
    const rule = "from 100.64.2.2 lookup 102 priority 1002";
    await house.router.ip([`rule del ${rule}`]);
    await house.router.exec("sysctl", ["-w", "net.ipv4.conf.adsl2.rp_filter=1"]);
    const [finding] = await assertBad([
      /^path adsl2: remote .*no answer .* -> the strict reverse-path filter drops/,
    ]);
    await type(finding);
    await house.router.ip([`rule add ${rule}`]);
    await assertWell();
  });

  test("the doctor finds that forwarding is off, and its mend works", async () => {
    await house.router.exec("sysctl", ["-w", "net.ipv4.ip_forward=0"]);
    const [finding] = await assertBad([/^forwarding: IPv4: is off for lan0: UDP, DNS and ping of the LAN/]);
    await type(finding);
    await assertWell();
  });

  test("the doctor finds two paths on one interface, a captured line, and a missing interface", async () => {
    const edit = (text: string): string =>
      text
        .replace('from = ["lan0"]', 'from = ["adsl1", "lan9"]')
        .replace('interface = "adsl2"', 'interface = "adsl1"');
    await withFile(edit, async () => {
      const { all } = await findings("other.toml");
      const bad = all
        .filter(({ level }) => level === "bad")
        .map(({ subject, text }) => `${subject}: ${text}`);
      assert.match(bad[0] ?? "", /^path adsl2: uses adsl1, as path adsl1 does: it is the same line twice/);
      assert.match(bad[1] ?? "", /^capture: interface adsl1: is path adsl1's: connections from the Internet/);
      assert.match(bad[2] ?? "", /^capture: interface lan9: does not exist/);
    });
  });

  test("the doctor names a portal on one line, and a strange server in the VPS's place on all lines", async () => {
    const script = `require("http").createServer((_, answer) => answer.writeHead(302, { location: "http://portal/login" }).end())
      .on("clientError", (_, socket) => socket.end("HTTP/1.1 400 Bad Request\\r\\n\\r\\n")).listen(8888, () => console.log("ready"))`;
    const server = house.remote.spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => server.stdout?.once("data", resolve));
    const toServer = ["-p", "tcp", "--dport", "4433", "-j", "REDIRECT", "--to-ports", "8888"];
    await iptables(house.remote, "-t", "nat", "-A", "PREROUTING", "-i", "adsl2", ...toServer);
    const answer =
      /something else answers there, not hawser-remote: HTTP\/1\.1 302 Found, to http:\/\/portal\/login/;
    await assertBad([
      new RegExp(
        `^path adsl2: remote .*${answer.source} -> the other lines reach .*\`curl -i --interface adsl2 `,
      ),
    ]);
    await iptables(house.remote, "-t", "nat", "-A", "PREROUTING", ...toServer);
    const { all } = await findings();
    const bad = all.filter(({ subject }) => /^path adsl[12]: remote/.test(subject));
    assert.equal(bad.length, 2);
    for (const { text, mend } of bad) {
      assert.match(text, answer);
      assert.match(mend ?? "", /^`ss -ltnp sport = :4433` on the VPS/);
    }
    await iptables(house.remote, "-t", "nat", "-F", "PREROUTING");
    server.kill();
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    await assertWell();
  });

  test("the doctor finds a firewall that drops redirected connections, before and after the first one is lost; its mend works", async () => {
    const ruleset = [
      "add table inet fw",
      "add chain inet fw input { type filter hook input priority 0; policy drop; }",
      "add rule inet fw input ct state established,related accept",
      'add rule inet fw input iif "lo" accept',
      "add rule inet fw input tcp dport 22 accept",
    ];
    await house.router.exec("nft", ["-f", "-"], { input: `${ruleset.join("\n")}\n` });
    const dropped =
      /^connections of the LAN by IPv[46]: redirected connections do not arrive: nft's chain inet fw input drops them by its policy, drop/;
    await assertBad([dropped, dropped]);
    await assert.rejects(connect(), /exit code 124/);
    // The SYNs of this connection are counted until then.
    const waiting = connect(40);
    waiting.catch(() => {});
    await until(async () => (await hawser.local.answer("/healthz"))[0] === 503, NOTICED_MS);
    assert.match(
      (await hawser.local.curl("/healthz")).stdout,
      /IPv4 connections are redirected and do not arrive: a firewall drops them/,
    );
    assert.match((await hawser.local.curl("/api/events")).stdout, /"capture-blocked"/);
    const status = await hawser.runLocal(["status"]);
    assert.match(status.stdout, /\na firewall drops the LAN's IPv4 connections: hawser-local doctor\n/);
    assert.match((await hawser.local.curl("/metrics")).stdout, /hawser_capture_blocked\{family="ipv4"\} 1/);
    const found = await assertBad([
      dropped,
      dropped,
      /^gateway: runs, but the LAN's IPv4 connections are redirected/,
    ]);
    for (const finding of found.slice(0, 2)) await type(finding);
    await connect();
    await until(async () => (await hawser.local.answer("/healthz"))[0] === 200, NOTICED_MS);
    await assertWell();
    await house.router.exec("nft", ["delete", "table", "inet", "fw"]);
  });

  test("the same for a rule of iptables that stands first, when root keeps the rules", async () => {
    const own = readFileSync(hawser.file("local.toml"), "utf8");
    await reload(hawser, (text) => text.replace("[capture]", "[capture]\nrules = false"));
    await hawser.runLocal(["rules", "apply"]);
    await iptables(house.router, "-I", "INPUT", "-i", "lan0", "-p", "tcp", "-j", "DROP");
    const [finding] = await assertBad([
      /^redirect rules for IPv4: .* stands before the jump from INPUT -> `hawser-local rules apply`/,
      /IPv4: redirected connections do not arrive: iptables's chain INPUT drops them by -A INPUT -i lan0 -p tcp -j DROP/,
    ]);
    await type(finding);
    await connect();
    await assertWell();
    await iptables(house.router, "-D", "INPUT", "-i", "lan0", "-p", "tcp", "-j", "DROP");
    await reload(hawser, () => own);
    await assertWell();
  });

  test("the same rule does no harm when the gateway keeps the rules: it puts its own first", async () => {
    await iptables(house.router, "-I", "INPUT", "-i", "lan0", "-p", "tcp", "-j", "DROP");
    await until(
      async () => /"rules-restored"/.test((await hawser.local.curl("/api/events")).stdout),
      NOTICED_MS,
    );
    await connect();
    await assertWell();
    await iptables(house.router, "-D", "INPUT", "-i", "lan0", "-p", "tcp", "-j", "DROP");
  });

  test("the doctor finds that every path is disabled, and its mend works", async () => {
    for (const name of ["adsl1", "adsl2"]) await hawser.runLocal(["path", name, "disabled"]);
    const [finding] = await assertBad([
      /^gateway: every line is disabled -> `hawser-local path adsl1 active`/,
    ]);
    await type(finding);
    await hawser.runLocal(["path", "adsl2", "active"]);
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    await assertWell();
  });

  test("the doctor does not take another server at the status address for a gateway", async () => {
    const script = `require("http").createServer((_, answer) => answer.writeHead(404).end("no")).listen(8099, "127.0.0.1", () => console.log("ready"))`;
    const server = house.router.spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => server.stdout?.once("data", resolve));
    await withFile(
      (text) => `${text}\n[status]\nlisten = "127.0.0.1:8099"\n`,
      async () => {
        const { code, all } = await findings("other.toml");
        const gateway = all.find(({ subject }) => subject === "gateway");
        assert.equal(code, 1);
        assert.match(gateway?.text ?? "", /^another program answers at 127\.0\.0\.1:8099, .*HTTP 404/);
        assert.match(gateway?.mend ?? "", /^`ss -ltnp sport = :8099` says which/);
      },
    );
    server.kill();
  });

  test("without iptables its package is named, not root", async () => {
    const { code, all } = await findings("local.toml", WITHOUT_SBIN);
    const rules = all.find(({ subject }) => subject === "redirect rules for IPv4");
    assert.deepEqual([code, rules?.mend], [1, "`apt install iptables`"]);
  });

  test("an ordinary user is told to use sudo", async () => {
    const secret = await run("local.toml", NOBODY);
    assert.deepEqual([secret.code, secret.stderr.split("; ")[1]], [2, "run this with sudo\n"]);
  });

  test("rules without a gateway cut the LAN off: the doctor says so, and its mend works", async () => {
    hawser.local.process.kill("SIGKILL");
    await until(async () => !(await hawser.local.isAnswering()));
    const cut =
      /^redirect rules for IPv[46]: the rules are in place, and no gateway listens: the LAN's TCP is refused -> `systemctl start hawser-local`, or `hawser-local rules clear`/;
    const [finding] = await assertBad([cut, cut]);
    await assert.rejects(connect(), /exit code 1\n/);
    await type({ ...(finding as Finding), mend: "`hawser-local rules clear`" });
    await assertWell();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
  });

  test("of a key that is not admitted the doctor gives the name, and says rotate before pair", async () => {
    const config = ["-c", hawser.file("remote.toml")];
    await runProgram(house.remote, "hawser-remote", ["rotate", "home", "--grace", "0s", ...config]);
    await until(async () => (await findings()).all.some(({ text }) => text.includes("no such identity")));
    const { code, all } = await findings();
    const refused = all.find(({ text }) => text.includes("no such identity"));
    assert.equal(code, 1);
    assert.match(refused?.text ?? "", /the pairing line here is of "home"$/);
    assert.match(
      refused?.mend ?? "",
      /^on the VPS: `hawser-remote rotate home`, or, .*, `hawser-remote pair home`; /,
    );
  });
});
