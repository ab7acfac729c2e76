/**
 * deploy/install.sh on a machine: first installation, upgrade, removal, and what it refuses. The machine is this one in
 * mount and network namespaces, with a /etc, /opt, /run and /usr/local of its own and a systemctl that only notes.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { Installer } from "./installer.ts";

const canUnshare =
  process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "--net", "true"]).status === 0;

describe("on a machine", { skip: !canUnshare && "needs root, and namespaces" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-upgrade-"));
  const own = { "/etc": "etc", "/opt": "opt", "/run": "run", "/usr/local": "local" } as const;
  const calls = join(folder, "systemctl-calls");
  const active = join(folder, "active");
  let installer: Installer;

  before(() => {
    // The installer runs as another user once.
    chmodSync(folder, 0o755);
    installer = new Installer(folder);
    installer.fake(
      "systemctl",
      `echo "$@" >> '${calls}'; case "$*" in *is-active*) [ -e '${active}' ] ;; *disable*) rm -f '${active}' ;; esac`,
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  beforeEach(() => {
    for (const name of Object.values(own)) {
      rmSync(join(folder, name), { recursive: true, force: true });
      mkdirSync(join(folder, name));
    }
    execFileSync("cp", ["-a", "/etc/.", join(folder, "etc")]);
    rmSync(join(folder, "etc/hawser"), { recursive: true, force: true });
    mkdirSync(join(folder, "run/systemd/system"), { recursive: true });
    for (const file of [calls, active]) rmSync(file, { force: true });
    setVersion("0.1.0");
  });

  /** Runs it as root there. */
  function run(script: string, env: NodeJS.ProcessEnv = {}) {
    const mounts = Object.entries(own).map(
      ([there, here]) => `mount --bind '${join(folder, here)}' ${there}`,
    );
    const path = `${installer.bin}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["--mount", "--net", "sh", "-ec", [...mounts, script].join("\n")],
      { env: { PATH: path, HOME: "/root", ...env }, encoding: "utf8" },
    );
    return { status, stdout, stderr };
  }

  function install(...args: string[]) {
    return run(`'${installer.script}' ${args.join(" ")}`);
  }

  function setVersion(version: string): void {
    const file = join(installer.checkout, "package.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"version": "[^"]*"/, `"version": "${version}"`));
  }

  function systemctlCalls(): string[] {
    return existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
  }

  /** Every file of Hawser's on the machine. */
  function files(): string[] {
    return ["etc/systemd/system", "etc/hawser", "local", "opt"]
      .filter((name) => existsSync(join(folder, name)))
      .flatMap((name) => readdirSync(join(folder, name), { recursive: true, encoding: "utf8" }))
      .filter((name) => /hawser/.test(name));
  }

  /** A VPS whose gateway is configured and runs. */
  function runningRemote(): void {
    assert.equal(install("remote").status, 0);
    const init =
      "hawser-remote init -c /etc/hawser/remote.toml --listen 0.0.0.0:4433 --advertise 203.0.113.1:4433";
    assert.equal(run(init).status, 0);
    writeFileSync(active, "");
    rmSync(calls);
  }

  test("the first installation says what is left; none of it overwrites a file", () => {
    const { status, stdout, stderr } = install("local");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^Installed hawser-local 0\.1\.0 in \/opt\/hawser\.\nWhat is left to do:\n/);
    const commands = stdout.split("\n").filter((line) => line.includes("install -g hawser"));
    assert.equal(commands.length, 2);
    assert.equal(run(commands.join("\n")).status, 0);
    const file = join(folder, "etc/hawser/local.toml");
    assert.match(readFileSync(file, "utf8"), /\[\[path\]\]/);
    for (const name of ["local.toml", "pairing.txt"]) writeFileSync(join(folder, "etc/hawser", name), "mine");
    assert.equal(run(commands.join("\n")).status, 0);
    for (const name of ["local.toml", "pairing.txt"])
      assert.equal(readFileSync(join(folder, "etc/hawser", name), "utf8"), "mine");

    // Now the configuration is there, and only the start is left.
    const { stdout: second } = install("local");
    assert.equal(
      second,
      "Upgraded /opt/hawser from 0.1.0 to 0.1.0.\nWhat is left to do:\n" +
        "  hawser-local doctor -c /etc/hawser/local.toml\n  systemctl enable --now hawser-local\n",
    );
  });

  test("the router's files are root's, and its service reads them; a VPS's are the service's", () => {
    const owner = (): string => run("stat -c '%U:%G %a' /etc/hawser").stdout.trim();
    const { stdout } = install("local");
    assert.equal(owner(), "root:hawser 750");
    const told = stdout.split("\n").filter((line) => line.includes("install -g hawser"));
    const pairing = `hawser://home:${Buffer.alloc(32, 7).toString("base64url")}@198.51.100.1:4433`;
    const service = "setpriv --reuid=hawser --regid=hawser --clear-groups";
    const commands = [
      ...told,
      `echo '${pairing}' > /etc/hawser/pairing.txt`,
      `${service} hawser-local check`,
    ];
    const checked = run(commands.join("\n"));
    assert.deepEqual([checked.status, checked.stderr], [0, ""]);
    const write = run(
      `${service} sh -c 'echo >> /etc/hawser/local.toml || mv /etc/hawser/local.toml /etc/hawser/x'`,
    );
    assert.notEqual(write.status, 0);
    install("remote");
    assert.equal(owner(), "hawser:hawser 750");
    // What root has for the service is good there, too.
    assert.equal(run(`${service} hawser-local check`).status, 0);
  });

  test("what is left begins with sudo for a user who has to type it", () => {
    const { stdout } = run(`SUDO_USER=alice '${installer.script}' local`);
    const commands = stdout.split("\n").filter((line) => /install -g|doctor|systemctl/.test(line));
    assert.equal(commands.length, 4);
    for (const command of commands) assert.match(command, /^ {2}sudo (sh -c '\[ -e|hawser-local|systemctl)/);
  });

  test("an upgrade says from what to what, and restarts the service that runs", () => {
    runningRemote();
    setVersion("0.2.0");
    const { status, stdout } = install("remote");
    assert.equal(status, 0);
    assert.equal(stdout, "Upgraded /opt/hawser from 0.1.0 to 0.2.0.\nRestarted hawser-remote.\n");
    const told = systemctlCalls().filter((call) => !call.includes("is-active"));
    assert.deepEqual(told, ["daemon-reload", "restart hawser-remote"]);
  });

  test("homes of an earlier release's remote.toml stay admitted; the next pair moves them into files", () => {
    runningRemote();
    const keys = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64url"));
    const tables = `
[[peer]]
name = "home"
key = "${keys[0]}"

[[peer]]
name = "lake"
key = "${keys[1]}"
max_flows = 100
`;
    const etc = join(folder, "etc/hawser");
    rmSync(join(etc, "peers"), { recursive: true });
    const text = readFileSync(join(etc, "remote.toml"), "utf8");
    appendFileSync(join(etc, "remote.toml"), tables);
    setVersion("0.2.0");
    assert.match(install("remote").stdout, /Restarted hawser-remote\.\n$/);
    const service = "setpriv --reuid=hawser --regid=hawser --clear-groups";
    const peers = (): string => run(`${service} hawser-remote peers`).stdout;
    assert.equal(peers(), "home\nlake\n");
    const paired = run("hawser-remote pair office");
    assert.equal(paired.status, 0);
    assert.match(paired.stdout, /^hawser:\/\/office:/);
    assert.match(
      paired.stderr,
      /^\/etc\/hawser\/remote\.toml: moved into \/etc\/hawser\/peers, .*: home, lake\n$/,
    );
    assert.equal(peers(), "home\nlake\noffice\n");
    assert.equal(readFileSync(join(etc, "remote.toml"), "utf8"), `${text}\n`);
    assert.equal(readFileSync(join(etc, "peers/home.toml"), "utf8"), `key = "${keys[0]}"\n`);
    assert.equal(readFileSync(join(etc, "peers/lake.toml"), "utf8"), `key = "${keys[1]}"\nmax_flows = 100\n`);
    const owners = run("stat -c '%U:%G %a' /etc/hawser/peers /etc/hawser/peers/*").stdout;
    assert.equal(owners, "hawser:hawser 700\n" + "hawser:hawser 600\n".repeat(3));
    assert.deepEqual(
      [run(`${service} hawser-remote check`).status, run("hawser-remote check").status],
      [0, 0],
    );
  });

  test("a service whose configuration the new version refuses runs on, and that is said", () => {
    runningRemote();
    appendFileSync(join(folder, "etc/hawser/remote.toml"), "\n[nonsense]\n");
    const { status, stdout, stderr } = install("remote");
    assert.equal(status, 0);
    assert.match(stderr, /remote\.toml: nonsense: unknown key/);
    assert.match(
      stdout,
      /hawser-remote was not restarted: .*\nMend that, then: systemctl restart hawser-remote\n/,
    );
    assert.ok(!systemctlCalls().includes("restart hawser-remote"));
  });

  test("the other gateway of the machine is upgraded along, and restarted", () => {
    runningRemote();
    setVersion("0.2.0");
    const { stdout } = install("local");
    assert.match(
      stdout,
      /^Upgraded \/opt\/hawser from 0\.1\.0 to 0\.2\.0\.\nInstalled hawser-local 0\.2\.0 in \/opt\/hawser\.\nRestarted hawser-remote\./,
    );
  });

  test("removal stops the service, removes what was installed, and keeps the configuration", () => {
    const before = files();
    runningRemote();
    const { status, stdout } = run("exec /opt/hawser/deploy/install.sh uninstall remote");
    assert.equal(status, 0);
    assert.equal(systemctlCalls()[0], "disable --now hawser-remote");
    assert.match(
      stdout,
      /^Removed hawser-remote\.\nKept: \/etc\/hawser\. To remove .*\n {2}rm -r \/etc\/hawser && userdel hawser\n$/,
    );
    assert.deepEqual(files(), before);
    assert.deepEqual(readdirSync(join(folder, "opt")), []);
    assert.deepEqual(readdirSync(join(folder, "etc/hawser")).sort(), [
      "identity.pem",
      "peers",
      "remote.toml",
    ]);
    assert.equal(run(stdout.trimEnd().split("\n").at(-1) as string).status, 0);
    assert.equal(install("uninstall", "remote").stdout, "hawser-remote is not installed.\n");
  });

  test("removal of one gateway leaves the other", () => {
    runningRemote();
    assert.equal(install("local").status, 0);
    const { status, stdout, stderr } = install("uninstall", "local");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /(^|\n)Removed hawser-local\.\nKept: \/opt\/hawser, on which hawser-remote runs/);
    assert.match(run("hawser-remote --version").stdout, /^\d/);
    assert.ok(!existsSync(join(folder, "local/bin/hawser-local")));
  });

  test("removal takes the redirect rules of a gateway that was killed", (t) => {
    if (spawnSync("iptables", ["--version"]).status !== 0) return t.skip("needs iptables");
    assert.equal(install("local").status, 0);
    const noted = join(folder, "cleared");
    const command = join(folder, "local/bin/hawser-local");
    writeFileSync(command, readFileSync(command, "utf8").replace("exec", `echo "$@" > '${noted}'; exec`));
    assert.equal(install("uninstall", "local").status, 0);
    assert.equal(readFileSync(noted, "utf8"), "rules clear -c /etc/hawser/local.toml\n");
  });

  /** Makes a program of the system vanish. */
  const without = (tool: string) =>
    `f=$(command -v ${tool}) && mount --bind /dev/null "$(readlink -f "$f")" || true\n`;
  const bare = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

  for (const [what, script, env, message] of [
    ["iptables", without("iptables"), {}, /^install\.sh: iptables was not found: apt install iptables\n$/],
    ["npm", without("npm"), bare, /^install\.sh: npm was not found: apt install npm\n$/],
    [
      "npm for root",
      without("npm"),
      { ...bare, SUDO_USER: "alice" },
      /^install\.sh: root has no npm on its PATH\. If you have one: sudo env "PATH=\$PATH" .*install\.sh local\. If not: sudo apt install npm\n$/,
    ],
    [
      "root",
      "exec setpriv --reuid=65534 --regid=65534 --clear-groups ",
      {},
      /^install\.sh: needs root: sudo .*install\.sh local\n$/,
    ],
  ] as const) {
    test(`without ${what} it says what to type, and touches nothing`, () => {
      const before = files();
      const { status, stderr } = run(`${script}'${installer.script}' local`, env);
      assert.deepEqual([status, stderr.replace(message, "")], [1, ""]);
      assert.deepEqual(files(), before);
    });
  }

  test("the installed copy only uninstalls", () => {
    assert.equal(install("remote").status, 0);
    const { status, stderr } = run("exec /opt/hawser/deploy/install.sh remote");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /this is the installed copy.*in a checkout: npm ci && npm run build && sudo deploy\/install\.sh remote\n$/,
    );
  });
});
