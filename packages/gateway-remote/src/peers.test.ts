import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
import { loadRemoteConfig, type RemoteConfig } from "./config.ts";
import { PeerKeys } from "./peer-keys.ts";
import {
  addPeer,
  dropOldKey,
  initConfig,
  listPeers,
  removePeer,
  rotateKey,
  watchRemoteConfig,
} from "./peers.ts";
import { cutPeer } from "./peers-text.ts";

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
  assert.deepEqual([modeOf("remote.toml"), modeOf("identity.pem")], [0o600, 0o600]);
  const config = loadRemoteConfig(file);
  assert.deepEqual(config.listen, [LISTEN]);
  assert.deepEqual(config.advertise, [PUBLIC]);
  assert.deepEqual(config.status.listen, { host: "127.0.0.1", port: 8081 });
  assert.deepEqual(config.peers, []);
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "remote.toml"]);
});

test("init overwrites neither file", () => {
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
  assert.deepEqual(readdirSync(directory), ["identity.pem"]);
  assert.equal(readFileSync(join(directory, "identity.pem"), "utf8"), identity);
  writeFileSync(file, config);
  assert.match(
    codeOf(() => initConfig(join(directory, "none/remote.toml"), { listen: LISTEN, advertise: [] })),
    /^CONFIG_UNWRITABLE none\/identity\.pem: cannot be written: its directory does not exist; run: mkdir -p/,
  );
});

test("pair prints a line whose key the gateway derives, too", () => {
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
  assert.ok(!readFileSync(file, "utf8").includes(pairing.value.psk.revealBase64url()));
});

test("pairing and unpairing leave the rest of the file, its mode, and other peers as they were", () => {
  init();
  chmodSync(file, 0o700);
  const commented = `# mine\n${readFileSync(file, "utf8")}# the last line`;
  writeFileSync(file, commented);
  addPeer(file, "home");
  addPeer(file, "lake");
  const text = readFileSync(file, "utf8").replace(
    '[[peer]]\nname = "lake"',
    '# the house at the lake\n[[ peer ]] # x\nname = "lake"',
  );
  writeFileSync(file, text);
  addPeer(file, "office");
  assert.deepEqual(listPeers(file), ["home", "lake", "office"]);
  const before = loadRemoteConfig(file);
  removePeer(file, "home");
  assert.deepEqual(listPeers(file), ["lake", "office"]);
  const now = loadRemoteConfig(file);
  assert.ok(peerPsk(now, "lake")?.equals(peerPsk(before, "lake") ?? ""));
  assert.ok(readFileSync(file, "utf8").includes("# the house at the lake\n[[ peer ]] # x\n"));
  removePeer(file, "office");
  removePeer(file, "lake");
  assert.equal(readFileSync(file, "utf8"), `${commented}\n\n# the house at the lake\n`);
  assert.equal(modeOf("remote.toml"), 0o700);
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "remote.toml"]);
});

test("what pair and unpair refuse", () => {
  init();
  addPeer(file, "home");
  const text = readFileSync(file, "utf8");
  const golden: [() => unknown, string][] = [
    [
      () => addPeer(file, "home"),
      'PEER_EXISTS remote.toml: "home" is admitted already; for a new pairing line: rotate home',
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
  chmodSync(file, 0o640);
  assert.match(
    codeOf(() => addPeer(file, "lake")),
    /^SECRET_EXPOSED remote.toml: holds a secret, but .* chmod 600 remote.toml$/,
  );
  chmodSync(file, 0o600);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("an edit that was broken off does not block the next one", () => {
  init();
  for (const left of ["remote.toml.new", ".remote.toml.unfinished"])
    writeFileSync(join(directory, left), "[[peer]]\nna");
  addPeer(file, "home");
  assert.deepEqual(listPeers(file), ["home"]);
  // The first is no name of this program's: it may be the user's own.
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "remote.toml", "remote.toml.new"]);
});

test("edits at the same time are all kept", async () => {
  init();
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    for (const i of [1, 2, 3, 4, 5]) addPeer(process.argv[1], process.argv[2] + i);`;
  const pairAll = (name: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, file, name]);
  await Promise.all(["a", "b", "c", "d"].map(pairAll));
  assert.equal(listPeers(file).length, 20);
});

test("an edit while another one hangs is told so; a gateway waits for its end without standing still", async () => {
  init();
  addPeer(file, "home");
  const rotated = parsePairing(rotateKey(file, "home", 60_000).line);
  assert.ok(rotated.ok);
  const holder = spawn("flock", [directory, "sh", "-c", "echo ready; read line"]);
  await once(holder.stdout, "data");
  const dropped = dropOldKey(file, { peer: "home", psk: rotated.value.psk });
  assert.equal(
    codeOf(() => addPeer(file, "lake")),
    `CONFIG_BUSY remote.toml: another edit of it is under way; try again (whose it is: fuser -v ${directory})`,
  );
  assert.match(readFileSync(file, "utf8"), /old_key/);
  holder.stdin.end();
  await dropped;
  assert.doesNotMatch(readFileSync(file, "utf8"), /old_key/);
});

test("root's directory for a service's group: what is written there the group may read, and nobody change", {
  skip: process.geteuid?.() !== 0 && "needs root",
}, () => {
  const GROUP = 65_534;
  chownSync(directory, 0, GROUP);
  chmodSync(directory, 0o750);
  init();
  addPeer(file, "home");
  assert.equal(loadRemoteConfig(file).peers.length, 1);
  for (const name of ["remote.toml", "identity.pem"]) {
    const { uid, gid } = statSync(join(directory, name));
    assert.deepEqual([modeOf(name), uid, gid], [0o640, 0, GROUP]);
  }
  chmodSync(file, 0o644);
  assert.match(
    codeOf(() => loadRemoteConfig(file)),
    /^SECRET_EXPOSED .*\(mode 0644\); run: chmod 640 remote\.toml$/,
  );
  chmodSync(file, 0o640);
  // The group of a directory that everybody may enter says nothing of who is in it.
  chmodSync(directory, 0o755);
  assert.match(
    codeOf(() => loadRemoteConfig(file)),
    /^SECRET_EXPOSED /,
  );
});

test("peers written in another way are left to their author", () => {
  init();
  addPeer(file, "home");
  const key = /key = "(.*)"/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const inline = `listen = ["127.0.0.1:1"]\npeer = [{ name = "home", key = "${key}" }]\n`;
  writeFileSync(file, inline);
  for (const run of [() => addPeer(file, "lake"), () => removePeer(file, "home")]) {
    assert.match(codeOf(run), /^CONFIG_UNWRITABLE remote\.toml: peer: its peers are written in a way/);
  }
  assert.equal(readFileSync(file, "utf8"), inline);
  assert.equal(cutPeer("[[peer]]\n", 1), undefined);
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
  assert.match(addPeer(file, "home").line, /@127\.0\.0\.1:4433$/);
});

test("a symbolic link stays one", () => {
  init();
  const link = join(directory, "link.toml");
  symlinkSync("remote.toml", link);
  addPeer(link, "home");
  assert.deepEqual(listPeers(file), ["home"]);
  assert.ok(readdirSync(directory, { withFileTypes: true }).some((entry) => entry.isSymbolicLink()));
});

test("a running gateway follows the file, and keeps what it has when the file is broken", async () => {
  init();
  const seen: (RemoteConfig | string)[] = [];
  const watch = watchRemoteConfig(file, {
    onChange: (config) => seen.push(config),
    onError: (error) => seen.push(error instanceof Error ? error.message : ""),
  });
  try {
    const next = async (count: number): Promise<RemoteConfig | string | undefined> => {
      for (let i = 0; i < 200 && seen.length < count; i++) await sleep(20);
      return seen[count - 1];
    };
    addPeer(file, "home");
    const paired = await next(1);
    assert.ok(typeof paired === "object");
    assert.deepEqual(
      paired.peers.map(({ name }) => name),
      ["home"],
    );
    writeFileSync(file, "listen = 3\n");
    const broken = await next(2);
    assert.ok(typeof broken === "string");
    assert.match(broken, /remote\.toml: listen: expected a string or an array, found a whole number/);
    watch.reload();
    assert.equal(seen.length, 3);
  } finally {
    watch.close();
  }
});
