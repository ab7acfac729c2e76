import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
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
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CodedError } from "@hawser/gateway-kit/config";
import { derivePsk, parsePairing, Secret } from "@hawser/shared-protocol";
import { checkRemoteConfig, loadRemoteConfig, type RemoteConfig, watchRemoteConfig } from "./config.ts";
import { initConfig } from "./init.ts";
import { PeerKeys } from "./peer-keys.ts";
import { addPeer, dropOldKey, removePeer, rotateKey } from "./peers.ts";
import { listPeers } from "./testing.ts";

const root = mkdtempSync(join(tmpdir(), "hawser-peers-"));
after(() => rmSync(root, { recursive: true }));

const LISTEN = { host: "0.0.0.0", port: 4433 };
const PUBLIC = { host: "203.0.113.7", port: 4433 };
let directory = "";
let file = "";

beforeEach(() => {
  directory = mkdtempSync(join(root, "x-"));
  file = join(directory, "remote.toml");
});

function init(): void {
  assert.equal(initConfig(file, { listen: LISTEN, advertise: [PUBLIC] }), undefined);
}

function peerPsk(config: RemoteConfig, name: string): Secret | undefined {
  return new PeerKeys(config).find(name)?.psk;
}

function textOf(name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

function modeOf(name: string): number {
  return statSync(join(directory, name)).mode & 0o7777;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    return `${error.code} ${error.message.replaceAll(`${directory}/`, "")}`;
  }
  return "";
}

test("init writes a configuration that loads, and an identity, for the owner alone", () => {
  init();
  assert.deepEqual(["remote.toml", "identity.pem", "peers"].map(modeOf), [0o600, 0o600, 0o700]);
  const config = loadRemoteConfig(file);
  assert.deepEqual(config.listen, [LISTEN]);
  assert.deepEqual(config.advertise, [PUBLIC]);
  assert.deepEqual(config.status.listen, { host: "127.0.0.1", port: 8081 });
  assert.deepEqual(config.peers, []);
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "peers", "remote.toml"]);
});

test("init overwrites neither file, and takes no other configuration's peers", () => {
  init();
  const [config, identity] = [
    readFileSync(file, "utf8"),
    readFileSync(join(directory, "identity.pem"), "utf8"),
  ];
  assert.equal(codeOf(init), "CONFIG_EXISTS remote.toml: exists already; name another file, or move it away");
  rmSync(file);
  assert.equal(
    codeOf(init),
    "CONFIG_EXISTS identity.pem: exists already, of another configuration: each gateway has a folder of its own; write the configuration into another, or move the identity away",
  );
  assert.deepEqual(readdirSync(directory), ["identity.pem", "peers"]);
  assert.equal(textOf("identity.pem"), identity);
  rmSync(join(directory, "identity.pem"));
  writeFileSync(join(directory, "peers/home.toml"), "");
  assert.match(codeOf(init), /^CONFIG_EXISTS peers: has peers of another configuration: .* or move it away$/);
  assert.deepEqual(readdirSync(directory), ["peers"]);
  rmSync(join(directory, "peers/home.toml"));
  writeFileSync(file, config);
  assert.match(
    codeOf(() => initConfig(join(directory, "none/remote.toml"), { listen: LISTEN, advertise: [] })),
    /^CONFIG_UNWRITABLE none\/identity\.pem: cannot be written: its directory does not exist; run: mkdir -p/,
  );
});

test("pair prints a line whose key the gateway derives as well", () => {
  init();
  const pairing = parsePairing(addPeer(file, "home").line);
  assert.ok(pairing.ok);
  assert.equal(pairing.value.name, "home");
  assert.deepEqual(pairing.value.endpoints, [PUBLIC]);
  const config = loadRemoteConfig(file);
  assert.ok(peerPsk(config, "home")?.equals(pairing.value.psk));
  assert.equal(peerPsk(config, "away"), undefined);
  const { identity, peers } = config;
  assert.ok(derivePsk(identity, peers[0]?.key ?? Secret.fromText(""), "home").equals(pairing.value.psk));
  assert.ok(!textOf("peers/home.toml").includes(pairing.value.psk.revealBase64url()));
});

test("pairing and unpairing write one file, for the owner alone, and leave remote.toml and other peers alone", () => {
  init();
  chmodSync(file, 0o644);
  const text = `# mine\n${textOf("remote.toml")}# the last line`;
  writeFileSync(file, text);
  addPeer(file, "home");
  addPeer(file, "lake");
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml", "lake.toml"]);
  assert.match(textOf("peers/lake.toml"), /^key = "[\w-]{43}"\n$/);
  assert.equal(modeOf("peers/lake.toml"), 0o600);
  const before = loadRemoteConfig(file);
  const lake = statSync(join(directory, "peers/lake.toml"), { bigint: true });
  addPeer(file, "office");
  removePeer(file, "home");
  assert.deepEqual(listPeers(file), ["lake", "office"]);
  assert.ok(peerPsk(loadRemoteConfig(file), "lake")?.equals(peerPsk(before, "lake") ?? ""));
  const { ino, ctimeNs } = statSync(join(directory, "peers/lake.toml"), { bigint: true });
  assert.deepEqual([ino, ctimeNs], [lake.ino, lake.ctimeNs]);
  assert.equal(textOf("remote.toml"), text);
  assert.equal(modeOf("remote.toml"), 0o644);
});

test("a name with dots leads to no other folder", () => {
  init();
  const names = [".", "..", ".home", "home.", "home.toml", ".hawser.unfinished", "-rf", "x".repeat(64)];
  for (const name of names) addPeer(file, name);
  assert.deepEqual(listPeers(file), names.toSorted());
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "peers", "remote.toml"]);
  for (const name of names) {
    rotateKey(file, name, 60_000);
    removePeer(file, name);
  }
  assert.deepEqual(readdirSync(join(directory, "peers")), []);
  for (const name of ["../home", "a/b", "", "x".repeat(65)])
    assert.match(
      codeOf(() => addPeer(file, name)),
      /^USAGE /,
    );
});

test("what pair and unpair refuse", () => {
  init();
  addPeer(file, "home");
  const text = textOf("peers/home.toml");
  const golden: [() => unknown, string][] = [
    [
      () => addPeer(file, "home"),
      'PEER_EXISTS peers/home.toml: "home" is admitted already; for a new pairing line run: hawser-remote rotate home -c remote.toml',
    ],
    [
      () => addPeer(file, "a b"),
      'USAGE NAME: "a b" is not a valid name; use 1 to 64 of the characters A-Z a-z 0-9 . _ -',
    ],
    [
      () => removePeer(file, "hoem"),
      'PEER_UNKNOWN remote.toml: "hoem" is not admitted; did you mean "home"?',
    ],
    [
      () => removePeer(file, "office"),
      'PEER_UNKNOWN remote.toml: "office" is not admitted; admitted are home',
    ],
  ];
  for (const [run, message] of golden) assert.equal(codeOf(run), message);
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml"]);
  assert.equal(textOf("peers/home.toml"), text);
});

test("a peer's damaged file hinders no edit of other peers, and unpair removes it", () => {
  init();
  addPeer(file, "home");
  writeFileSync(join(directory, "peers/home.toml"), "key = 1");
  addPeer(file, "lake");
  rotateKey(file, "lake", 60_000);
  assert.match(
    codeOf(() => rotateKey(file, "home", 60_000)),
    /^CONFIG_INVALID peers\/home\.toml: key: expected a string, found a whole number/,
  );
  removePeer(file, "home");
  assert.deepEqual(readdirSync(join(directory, "peers")), ["lake.toml"]);
  mkdirSync(join(directory, "peers/home.toml"));
  assert.equal(
    codeOf(() => removePeer(file, "home")),
    "CONFIG_UNWRITABLE peers/home.toml: cannot be written: it is a directory; run: rm -r peers/home.toml",
  );
});

test("in a read-only file system each command says so and changes nothing", {
  skip: spawnSync("unshare", ["--mount", "true"]).status !== 0 && "needs root, and namespaces",
}, () => {
  init();
  addPeer(file, "home");
  const program = `
    import { addPeer, removePeer, rotateKey } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    const file = process.argv[1];
    for (const edit of [() => addPeer(file, "lake"), () => rotateKey(file, "home", 0), () => removePeer(file, "home")])
      try { edit(); } catch (error) { console.log(error.code, error.message.replace(/.*: /, "")); }`;
  const mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  const node = [process.execPath, "--input-type=module", "-e", program, file];
  const { stdout } = spawnSync("unshare", ["--mount", "sh", "-c", mount, directory, ...node], {
    encoding: "utf8",
  });
  assert.equal(stdout, "CONFIG_UNWRITABLE the file system is read-only\n".repeat(3));
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml"]);
});

test("leftovers of an edit that broke off are ignored, and the next edit removes them, whichever peer they were for", () => {
  init();
  addPeer(file, "home");
  const left = ["remote.toml.new", "peers/home.toml.new", ".hawser.unfinished", "peers/.hawser.unfinished"];
  for (const name of left) writeFileSync(join(directory, name), "key = 1");
  assert.deepEqual(loadRemoteConfig(file).problems, []);
  addPeer(file, "lake");
  assert.deepEqual(listPeers(file), ["home", "lake"]);
  // The first file has a name that this program does not use: it may be the user's own.
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml", "home.toml.new", "lake.toml"]);
});

test("a folder peers/ whose creation broke off is created anew", () => {
  init();
  rmSync(join(directory, "peers"), { recursive: true });
  mkdirSync(join(directory, ".hawser.unfinished.d"));
  addPeer(file, "home");
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "peers", "remote.toml"]);
});

test("a command that is killed at any moment: a peer whose pairing line was printed is admitted, and no other peer is lost", async () => {
  init();
  addPeer(file, "home");
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    for (let i = 0; ; i++) console.log(addPeer(process.argv[1], process.argv[2] + i).line);`;
  const lines: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, file, name]);
    let out = "";
    child.stdout.on("data", (data) => {
      out += data;
      if (out.split("\n").length > 3) child.kill("SIGKILL");
    });
    await once(child, "close");
    // The last line may be cut off.
    lines.push(...out.split("\n").slice(0, -1));
  }
  assert.ok(lines.length >= 15);
  const config = loadRemoteConfig(file);
  assert.deepEqual(config.problems, []);
  for (const line of lines) {
    const pairing = parsePairing(line);
    assert.ok(pairing.ok && peerPsk(config, pairing.value.name)?.equals(pairing.value.psk));
  }
  assert.ok(peerPsk(config, "home"));
});

test("edits at the same time are all kept", async () => {
  init();
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    for (const i of [1, 2, 3, 4, 5]) addPeer(process.argv[1], process.argv[2] + i);`;
  const pairAll = (name: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, file, name]);
  // One of the commands makes the folder, too.
  rmSync(join(directory, "peers"), { recursive: true });
  await Promise.all(["a", "b", "c", "d"].map(pairAll));
  assert.equal(listPeers(file).length, 20);
});

test("when the same name is paired twice at the same time, one is admitted and the other is refused", async () => {
  init();
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    try { console.log(addPeer(process.argv[1], "home").line); } catch (error) { console.log(error.code); }`;
  const pair = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, file]);
  const said = (await Promise.all([pair(), pair(), pair()])).map(({ stdout }) => stdout.trim()).sort();
  assert.deepEqual(said.slice(0, 2), ["PEER_EXISTS", "PEER_EXISTS"]);
  const pairing = parsePairing(said[2] ?? "");
  assert.ok(pairing.ok && peerPsk(loadRemoteConfig(file), "home")?.equals(pairing.value.psk));
});

test("an edit fails with a reason while another edit hangs; a gateway waits for that one's end and goes on with its work", async () => {
  init();
  addPeer(file, "home");
  const rotated = parsePairing(rotateKey(file, "home", 60_000).line);
  assert.ok(rotated.ok);
  const holder = spawn("flock", [join(directory, "peers"), "sh", "-c", "echo ready; read line"]);
  await once(holder.stdout, "data");
  const dropped = dropOldKey(file, { peer: "home", psk: rotated.value.psk });
  assert.equal(
    codeOf(() => addPeer(file, "lake")),
    `CONFIG_BUSY peers/lake.toml: another edit of it is under way; try again (whose it is: fuser -v peers)`,
  );
  assert.match(textOf("peers/home.toml"), /old_key/);
  holder.stdin.end();
  await dropped;
  assert.doesNotMatch(textOf("peers/home.toml"), /old_key/);
});

test("in root's directory for a service's group, the group may read the files that are written, and nobody else may change them", {
  skip: process.geteuid?.() !== 0 && "needs root",
}, () => {
  const GROUP = 65_534;
  chownSync(directory, 0, GROUP);
  chmodSync(directory, 0o750);
  init();
  addPeer(file, "home");
  assert.equal(loadRemoteConfig(file).peers.length, 1);
  for (const name of ["remote.toml", "identity.pem", "peers", "peers/home.toml"]) {
    const { uid, gid } = statSync(join(directory, name));
    assert.deepEqual([modeOf(name), uid, gid], [name === "peers" ? 0o750 : 0o640, 0, GROUP]);
  }
  const peer = join(directory, "peers/home.toml");
  chmodSync(peer, 0o644);
  assert.match(
    codeOf(() => checkRemoteConfig(file)),
    /^CONFIG_INVALID peers\/home\.toml: .*\(mode 0644\); run: chmod 640 peers\/home\.toml$/,
  );
  chmodSync(peer, 0o640);
  checkRemoteConfig(file);
  // A group whose directory everybody may enter need not be a service's.
  chmodSync(join(directory, "peers"), 0o755);
  assert.match(
    codeOf(() => checkRemoteConfig(file)),
    /^CONFIG_INVALID peers\/home\.toml: .*\(mode 0640\); run: chmod 600 /,
  );
});

test("root's command in a directory of the service's user gives the folder and its files to that user", {
  skip: process.geteuid?.() !== 0 && "needs root",
}, () => {
  const USER = 65_534;
  chownSync(directory, USER, USER);
  chmodSync(directory, 0o750);
  init();
  addPeer(file, "home");
  rotateKey(file, "home", 60_000);
  for (const [name, mode] of [
    ["peers", 0o700],
    ["peers/home.toml", 0o600],
  ] as const) {
    const { uid, gid } = statSync(join(directory, name));
    assert.deepEqual([modeOf(name), uid, gid], [mode, USER, USER]);
  }
});

test("a pairing line needs an address that can be reached", () => {
  const anyPort = { host: "0.0.0.0", port: 0 };
  assert.match(initConfig(file, { listen: anyPort, advertise: [] }) ?? "", /^advertise: is needed .*:4433/);
  assert.match(
    codeOf(() => addPeer(file, "home")),
    /^NOT_ADVERTISED remote\.toml: advertise: is needed .* such as: advertise = \["vps\.example:4433"\] \(init --advertise writes it\)$/,
  );
  assert.deepEqual(listPeers(file), []);
  writeFileSync(file, readFileSync(file, "utf8").replace("0.0.0.0:0", "127.0.0.1:4433"));
  const { line, notes } = addPeer(file, "home");
  assert.match(line, /@127\.0\.0\.1:4433$/);
  assert.deepEqual(notes, []);
});

test("a symbolic link stays one", () => {
  init();
  const link = join(directory, "link.toml");
  symlinkSync("remote.toml", link);
  addPeer(link, "home");
  assert.deepEqual(listPeers(file), ["home"]);
  const real = join(root, "elsewhere");
  renameSync(join(directory, "peers"), real);
  symlinkSync(real, join(directory, "peers"));
  addPeer(link, "lake");
  rotateKey(link, "home", 60_000);
  assert.deepEqual(listPeers(file), ["home", "lake"]);
  assert.equal(lstatSync(join(directory, "peers")).isSymbolicLink(), true);
  assert.deepEqual(readdirSync(real), ["home.toml", "lake.toml"]);
});

test("a running gateway follows remote.toml and peers/, and keeps its peers when remote.toml is broken", async () => {
  init();
  const seen: (RemoteConfig | string)[] = [];
  let known: RemoteConfig["peers"] = [];
  const watch = watchRemoteConfig(file, () => known, {
    onChange: (config) => {
      known = config.peers;
      seen.push(config);
    },
    onError: (error) => seen.push(error instanceof Error ? error.message : ""),
  });
  try {
    const next = async (count: number): Promise<RemoteConfig | string | undefined> => {
      for (let i = 0; i < 200 && seen.length < count; i++) await sleep(20);
      return seen[count - 1];
    };
    const peersAt = async (count: number): Promise<readonly string[]> => {
      const config = await next(count);
      assert.ok(typeof config === "object");
      return config.peers.map(({ name }) => name);
    };
    addPeer(file, "home");
    assert.deepEqual(await peersAt(1), ["home"]);
    addPeer(file, "lake");
    assert.deepEqual(await peersAt(2), ["home", "lake"]);
    writeFileSync(join(directory, "peers/lake.toml"), "key = 3");
    assert.deepEqual(await peersAt(3), ["home", "lake"]);
    removePeer(file, "lake");
    assert.deepEqual(await peersAt(4), ["home"]);
    writeFileSync(file, "listen = 3\n");
    const broken = await next(5);
    assert.ok(typeof broken === "string");
    assert.match(broken, /remote\.toml: listen: expected a string or an array, found a whole number/);
    watch.reload();
    assert.equal(seen.length, 6);
  } finally {
    watch.close();
  }
});
