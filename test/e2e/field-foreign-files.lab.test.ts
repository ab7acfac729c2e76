/**
 * Root's commands in a directory that belongs to the service's user, who attacks. No file of root's may change,
 * wherever the names in that directory lead meanwhile.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { QuotaFile } from "@hawser/gateway-local/testing";
import {
  addPeer,
  initConfig,
  listPeers,
  loadRemoteConfig,
  removePeer,
  rotateKey,
} from "@hawser/gateway-remote/testing";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { editLocal, type ProgramResult, runProgram } from "./support.ts";

/** Debian's nobody, who plays the service's user. */
const USER = 65_534;
const AS_USER = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
/** How long a command is tried while names are swapped all the time, milliseconds. */
const SWAPPED_MS = 2_000;
const HOUR_MS = 3_600_000;
const LISTEN = { host: "127.0.0.1", port: 4433 };
const REFUSED = /is a symbolic link that another user could turn to any file|is a hard link to a file/;

/** A home in a folder of the service's user, and a file of root's elsewhere: the victim. */
class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), "hawser-foreign-"));
  readonly service = join(this.folder, "etc");
  readonly victim = join(this.folder, "root/victim");
  readonly #children: ChildProcess[] = [];
  #before = "";

  constructor() {
    chmodSync(this.folder, 0o755);
    mkdirSync(this.service);
    mkdirSync(join(this.folder, "root"));
    chownSync(this.service, USER, USER);
    initConfig(this.file("remote.toml"), {
      listen: LISTEN,
      advertise: [{ host: "203.0.113.7", port: 4433 }],
    });
    addPeer(this.file("remote.toml"), "home");
    addPeer(this.file("remote.toml"), "lake");
    this.give("mine.toml", this.#asEarlierReleasesWroteIt());
    // The worst case: the victim is a configuration, too, so an edit of it would succeed.
    writeFileSync(this.victim, readFileSync(this.file("mine.toml")), { mode: 0o644 });
    this.#before = this.#look();
  }

  /** remote.toml with its peers as tables, which each command moves into files. */
  #asEarlierReleasesWroteIt(): string {
    const tables = ["home", "lake"].map(
      (name) => `[[peer]]\nname = "${name}"\n${readFileSync(this.file(`peers/${name}.toml`), "utf8")}`,
    );
    return readFileSync(this.file("remote.toml"), "utf8") + tables.join("");
  }

  /** Undoes a command's move: the peers are in remote.toml alone again. */
  goBack(): void {
    rmSync(this.file("peers"), { recursive: true, force: true });
    this.give("remote.toml", readFileSync(this.file("mine.toml"), "utf8"));
  }

  /** Gives a peer's file and the victim the same text, so that a swapped-in victim is a valid peer's file, too. */
  makeVictimAPeer(): void {
    const text = readFileSync(this.file("peers/home.toml"));
    this.give("mine.toml", String(text));
    writeFileSync(this.victim, text);
    this.#before = this.#look();
  }

  file(name: string): string {
    return join(this.service, name);
  }

  /** Writes a file of the service's user. */
  give(name: string, text: string): void {
    rmSync(this.file(name), { force: true });
    writeFileSync(this.file(name), text, { mode: 0o600 });
    chownSync(this.file(name), USER, USER);
  }

  #look(): string {
    const { mode, uid, gid, ino } = statSync(this.victim);
    return [mode, uid, gid, ino, ...readdirSync(join(this.folder, "root")), readFileSync(this.victim)].join();
  }

  assertUnchanged(): void {
    assert.equal(this.#look(), this.#before);
  }

  plantLink(name: string, target = this.victim): void {
    rmSync(this.file(name), { force: true });
    symlinkSync(target, this.file(name));
    lchownSync(this.file(name), USER, USER);
  }

  /** Root makes the hard link for the user, since the kernel may forbid it to users (fs.protected_hardlinks). */
  plantHardLink(name: string): void {
    rmSync(this.file(name), { force: true });
    linkSync(this.victim, this.file(name));
  }

  /** Makes a link through /proc into a mount namespace, in which the user's own file stands in the victim's place. */
  async plantMagicLink(name: string): Promise<void> {
    const mount = 'mount --bind "$0" "$1" && echo ready && shift && exec setpriv "$@" sleep 60';
    const child = spawn("unshare", [
      "-m",
      "sh",
      "-c",
      mount,
      this.file("mine.toml"),
      this.victim,
      ...AS_USER,
    ]);
    this.#children.push(child);
    await once(child.stdout, "data");
    this.plantLink(name, `/proc/${child.pid}/root${this.victim}`);
  }

  /**
   * Turns a name back and forth between the victim (or the victim's folder) and the user's own file (or folder), as
   * fast as possible, for a minute at most.
   */
  async swap(name: string): Promise<void> {
    const program = `
      const { dirname } = require("node:path");
      const { readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } = require("node:fs");
      const [name, mine, file] = process.argv.slice(1);
      const spare = name + ".spare", own = name + ".own", end = Date.now() + 60e3;
      const quietly = (act) => { try { act(); } catch {} };
      const isFolder = statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
      const victim = isFolder ? dirname(file) : file;
      if (isFolder) renameSync(name, own);
      else writeFileSync(own, readFileSync(mine), { mode: 0o600 });
      quietly(() => rmSync(name));
      console.log("ready");
      while (Date.now() < end) {
        // No folder can be renamed to a name that is a link.
        if (isFolder) quietly(() => unlinkSync(name));
        quietly(() => renameSync(own, name));
        quietly(() => symlinkSync(victim, spare));
        quietly(() => renameSync(name, own)); quietly(() => renameSync(spare, name));
      }`;
    const args = [process.execPath, "-e", program, this.file(name), this.file("mine.toml"), this.victim];
    const child = spawn("setpriv", [...AS_USER, ...args]);
    this.#children.push(child);
    await once(child.stdout, "data");
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** Calls `command` until the time is over. Returns how often it did its work, and how often it was tried. */
function tryAll(command: (attempt: number) => unknown): { done: number; tries: number } {
  const end = performance.now() + SWAPPED_MS;
  let [done, tries] = [0, 0];
  for (; performance.now() < end; tries++) {
    try {
      command(tries);
      done++;
    } catch {
      // Refused, since the name was a link at that moment.
    }
  }
  return { done, tries };
}

const missing = labMissing("setpriv", "unshare", "mount");

describe("root's commands in a directory of the service's user", { skip: missing ?? false }, () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(async () => {
    scene.assertUnchanged();
    await scene.close();
  });

  const edits: Record<string, (file: string, attempt: number) => unknown> = {
    pair: (file, attempt) => addPeer(file, `new${attempt}`),
    rotate: (file) => rotateKey(file, "home", HOUR_MS),
    unpair: (file) => removePeer(file, "lake"),
  };

  test("without an attack pair, rotate and unpair work, and all files stay the service's", () => {
    const file = scene.file("remote.toml");
    for (const goBack of [() => {}, () => scene.goBack()]) {
      goBack();
      for (const edit of Object.values(edits)) edit(file, 0);
      assert.deepEqual(listPeers(file), ["home", "new0"]);
      assert.equal(loadRemoteConfig(file).peers.length, 2);
      removePeer(file, "new0");
      addPeer(file, "lake");
      for (const name of ["remote.toml", "peers", "peers/home.toml", "peers/lake.toml"]) {
        const { uid, gid, mode } = statSync(scene.file(name));
        assert.deepEqual([uid, gid, mode & 0o7777], [USER, USER, name === "peers" ? 0o700 : 0o600], name);
      }
    }
  });

  for (const [command, edit] of Object.entries(edits)) {
    test(`${command}: a link by way of /proc/PID/root, a plain one and a hard one are refused`, async () => {
      const file = scene.file("remote.toml");
      scene.goBack();
      await scene.plantMagicLink("remote.toml");
      assert.throws(() => edit(file, 0), REFUSED);
      scene.plantLink("remote.toml");
      assert.throws(() => edit(file, 0), REFUSED);
      scene.plantHardLink("remote.toml");
      assert.throws(() => edit(file, 0), REFUSED);
    });

    test(`${command}: no link leads to the folder of the peers, or to a file in it`, async () => {
      const file = scene.file("remote.toml");
      const name = { pair: "peers/new0.toml", rotate: "peers/home.toml", unpair: "peers/lake.toml" }[
        command
      ] as string;
      scene.makeVictimAPeer();
      scene.plantLink(name);
      assert.throws(() => edit(file, 0), REFUSED);
      rmSync(scene.file(name));
      await scene.plantMagicLink(name);
      assert.throws(() => edit(file, 0), REFUSED);
      if (command === "rotate") {
        scene.plantHardLink(name);
        assert.throws(() => edit(file, 0), REFUSED);
      }
      renameSync(scene.file("peers"), scene.file("moved"));
      scene.plantLink("peers", join(scene.folder, "root"));
      assert.throws(() => edit(file, 0), REFUSED);
      assert.throws(() => listPeers(file), REFUSED);
    });

    for (const name of ["remote.toml", "peers", "peers/home.toml"]) {
      test(`${command}, ${name}: names that are swapped all the time lead to no file of root's`, async (t) => {
        if (name === "peers/home.toml") scene.makeVictimAPeer();
        await scene.swap(name);
        const { done, tries } = tryAll((attempt) => edit(scene.file("remote.toml"), attempt));
        t.diagnostic(`${tries} tries, ${done} of them done`);
        assert.ok(tries >= 20, `${tries} tries`);
      });
    }
  }

  test("when all names are swapped while peers are moved, no file of root's is reached", async (t) => {
    scene.goBack();
    for (const name of ["remote.toml", "peers", ".hawser.unfinished", ".hawser.unfinished.d"])
      await scene.swap(name);
    const { done, tries } = tryAll((attempt) => addPeer(scene.file("remote.toml"), `new${attempt}`));
    t.diagnostic(`${tries} tries, ${done} of them done`);
    assert.ok(tries >= 20, `${tries} tries`);
  });

  test("a peer's file that belongs to root or to another user does not count", () => {
    const file = scene.file("remote.toml");
    chownSync(scene.file("peers/home.toml"), 0, 0);
    chownSync(scene.file("peers/lake.toml"), USER - 1, USER - 1);
    const { peers, problems } = loadRemoteConfig(file);
    assert.deepEqual(peers, []);
    assert.match(problems[0]?.findings[0]?.what ?? "", /^belongs to user 0, .*; run: chown 65534:65534 /);
    assert.match(problems[1]?.findings[0]?.what ?? "", /belongs to user 65533/);
  });

  test("the temporary file of an edit leads to no file of root's either", async (t) => {
    scene.goBack();
    for (const folder of [".", "peers"]) {
      if (folder === "peers") mkdirSync(scene.file(folder), { mode: 0o700 });
      chownSync(scene.file(folder), USER, USER);
      scene.plantLink(`${folder}/.hawser.unfinished`);
    }
    addPeer(scene.file("remote.toml"), "new");
    assert.deepEqual(listPeers(scene.file("remote.toml")), ["home", "lake", "new"]);
    await scene.swap("peers/.hawser.unfinished");
    const { done, tries } = tryAll((attempt) => addPeer(scene.file("remote.toml"), `new${attempt}`));
    t.diagnostic(`${tries} tries, ${done} of them done`);
  });

  test("init writes neither of its files through a link", async (t) => {
    const init = (): unknown => initConfig(scene.file("fresh.toml"), { listen: LISTEN, advertise: [] });
    rmSync(scene.file("identity.pem"));
    rmSync(scene.file("peers"), { recursive: true });
    for (const name of ["identity.pem", "fresh.toml"]) {
      // The link leads to a name without a file. A file there would be made by root.
      scene.plantLink(name, join(scene.folder, "root/new"));
      assert.throws(init, REFUSED);
      rmSync(scene.file(name));
    }
    assert.deepEqual(readdirSync(scene.service).sort(), ["mine.toml", "peers", "remote.toml"]);
    await scene.swap(".hawser.unfinished");
    await scene.swap(".hawser.unfinished.d");
    const { done, tries } = tryAll(() => {
      for (const name of ["identity.pem", "fresh.toml"]) rmSync(scene.file(name), { force: true });
      rmSync(scene.file("peers"), { recursive: true, force: true });
      init();
    });
    t.diagnostic(`${tries} tries, ${done} of them done`);
    assert.ok(tries >= 20, `${tries} tries`);
  });

  test("check and peers read the service's own files only", async () => {
    const file = scene.file("remote.toml");
    for (const name of ["remote.toml", "identity.pem"]) {
      scene.plantLink(name);
      assert.throws(() => loadRemoteConfig(file), REFUSED);
      scene.plantHardLink(name);
      assert.throws(() => loadRemoteConfig(file), REFUSED);
      scene.give(name, readFileSync(scene.file("mine.toml"), "utf8"));
    }
    scene.plantLink("remote.toml");
    assert.throws(() => listPeers(file), REFUSED);
  });

  test("a FIFO keeps no command waiting", () => {
    const file = scene.file("remote.toml");
    rmSync(scene.file("peers/home.toml"));
    execFileSync("setpriv", [...AS_USER, "mkfifo", scene.file("peers/home.toml")]);
    assert.deepEqual(listPeers(file), ["lake"]);
    assert.throws(() => rotateKey(file, "home", HOUR_MS), /is no regular file/);
    rmSync(file);
    execFileSync("setpriv", [...AS_USER, "mkfifo", file]);
    assert.throws(() => listPeers(file), /is no regular file/);
  });

  test("a swapped directory on the way leads nowhere else", () => {
    mkdirSync(scene.file("keys"));
    chownSync(scene.file("keys"), USER, USER);
    renameSync(scene.file("identity.pem"), scene.file("keys/identity.pem"));
    const edited = readFileSync(scene.file("remote.toml"), "utf8").replace(
      "identity.pem",
      "keys/identity.pem",
    );
    scene.give("remote.toml", edited);
    assert.equal(loadRemoteConfig(scene.file("remote.toml")).peers.length, 2);
    renameSync(scene.file("keys"), scene.file("moved"));
    scene.plantLink("keys", join(scene.folder, "root"));
    assert.throws(() => loadRemoteConfig(scene.file("remote.toml")), REFUSED);
  });

  test("quota.json: neither the file nor its temporary file is followed when it is a link", async (t) => {
    const logger = createLogger({ role: "local", name: "test", level: "silent" });
    const file = new QuotaFile(scene.service, logger);
    const counts = new Map([["lte", { period: "2026-11-01", used: 5 }]]);
    for (const name of ["quota.json", ".quota.json.unfinished", "quota.json.new", "quota.json.broken"])
      scene.plantLink(name);
    assert.throws(() => file.load(), REFUSED);
    await file.save(counts);
    assert.deepEqual([...file.load()], [...counts]);
    const { uid, mode } = statSync(scene.file("quota.json"));
    assert.deepEqual([uid, mode & 0o7777], [USER, 0o600]);
    scene.give("quota.json", "torn");
    assert.equal(file.load().size, 0);
    await scene.swap(".quota.json.unfinished");
    const end = performance.now() + SWAPPED_MS;
    let tries = 0;
    for (; performance.now() < end; tries++) await file.save(counts).catch(() => {});
    t.diagnostic(`${tries} tries`);
    assert.ok(tries >= 20, `${tries} tries`);
  });
});

describe("root's link in a directory of root's", { skip: missing ?? false }, () => {
  test("the link leads to the file, which is edited in its place", () => {
    const folder = mkdtempSync(join(tmpdir(), "hawser-foreign-"));
    try {
      mkdirSync(join(folder, "conf"));
      const real = join(folder, "conf/remote.toml");
      initConfig(real, { listen: LISTEN, advertise: [] });
      symlinkSync("conf/remote.toml", join(folder, "remote.toml"));
      symlinkSync(join(folder, "conf/identity.pem"), join(folder, "identity.pem"));
      addPeer(join(folder, "remote.toml"), "home");
      assert.deepEqual(listPeers(join(folder, "remote.toml")), ["home"]);
      // The folder peers/, like the identity, is beside the name by which remote.toml is called.
      assert.deepEqual(readdirSync(join(folder, "peers")), ["home.toml"]);
      assert.ok(lstatSync(join(folder, "remote.toml")).isSymbolicLink());
      // A file that another user made while the directory was theirs does not count.
      lchownSync(join(folder, "remote.toml"), USER, USER);
      assert.throws(() => addPeer(join(folder, "remote.toml"), "lake"), REFUSED);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the programs, as root, in a directory of the service's user", { skip: missing ?? false }, () => {
  let house: House;
  let hawser: Hawser;
  let victim: string;
  const VICTIM = "root's\n";
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    hawser = await Hawser.start(house);
    await hawser.local.stop();
    const folder = mkdtempSync(join(tmpdir(), "hawser-victim-"));
    victim = join(folder, "victim");
    writeFileSync(victim, VICTIM);
    for (const name of [".", ...readdirSync(hawser.folder), "peers/home.toml"])
      chownSync(hawser.file(name), USER, USER);
  });
  after(async () => {
    await hawser?.stop();
    await house?.close();
    rmSync(join(victim, ".."), { recursive: true });
  });
  afterEach(() => {
    const { uid, gid, mode } = statSync(victim);
    assert.deepEqual([readFileSync(victim, "utf8"), uid, gid, mode & 0o7777], [VICTIM, 0, 0, 0o644]);
  });

  function local(...args: string[]): Promise<ProgramResult> {
    return runProgram(house.router, "hawser-local", [...args, "-c", hawser.file("local.toml")]);
  }

  function remote(...args: string[]): Promise<ProgramResult> {
    return runProgram(house.remote, "hawser-remote", [...args, "-c", hawser.file("remote.toml")]);
  }

  /** Runs `act` while the name is a link to a file of root's. */
  async function linked(name: string, act: () => Promise<void>): Promise<void> {
    renameSync(hawser.file(name), hawser.file(`${name}.own`));
    symlinkSync(victim, hawser.file(name));
    lchownSync(hawser.file(name), USER, USER);
    await act();
    renameSync(hawser.file(`${name}.own`), hawser.file(name));
  }

  test("pair, rotate, unpair, peers and check: they work without an attack, and are refused when the file is a link", async () => {
    const commands = [["pair", "lake"], ["rotate", "lake"], ["unpair", "lake"], ["peers"], ["check"]];
    for (const args of commands) {
      const { code, stderr } = await remote(...args);
      assert.equal(code, 0, stderr);
    }
    await linked("remote.toml", async () => {
      for (const args of commands) {
        const { code, stderr } = await remote(...args);
        assert.deepEqual([code, REFUSED.test(stderr)], [2, true], `${args.join(" ")}: ${stderr}`);
      }
    });
  });

  test("rules apply, check and doctor: neither local.toml nor pairing.txt is read through a link", async () => {
    const commands = [["rules", "apply"], ["rules", "show"], ["check"], ["doctor"]];
    for (const name of ["local.toml", "pairing.txt"]) {
      await linked(name, async () => {
        for (const args of commands) {
          const { code, stderr } = await local(...args);
          assert.deepEqual([code, REFUSED.test(stderr)], [2, true], `${args.join(" ")}: ${stderr}`);
        }
      });
    }
    assert.equal((await local("rules", "apply")).code, 0);
    assert.equal((await local("rules", "clear")).code, 0);
  });

  test("run with a quota: counts are written into the service's directory, and through no link", async () => {
    editLocal(hawser, (text) => text.replace("interface =", 'quota = { bytes = "1GB" }\ninterface ='));
    for (const name of ["quota.json.new", ".quota.json.unfinished"]) {
      symlinkSync(victim, hawser.file(name));
      lchownSync(hawser.file(name), USER, USER);
    }
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.join() === "up");
    await until(async () => existsSync(hawser.file("quota.json")));
    assert.equal(await hawser.local.stop(), 0);
    assert.equal(statSync(hawser.file("quota.json")).uid, USER);
    await linked("quota.json", async () => {
      const { code, stderr } = await local("run");
      assert.deepEqual([code, REFUSED.test(stderr)], [1, true], stderr);
    });
  });
});
