import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { type Pairing, parsePairing, pskIdentity, Secret } from "@hawser/shared-protocol";
import { checkRemoteConfig, loadRemoteConfig } from "./config.ts";
import { initConfig } from "./init.ts";
import { type PeerKey, PeerKeys } from "./peer-keys.ts";
import { addPeer, dropOldKey, type PairingLine, removePeer, rotateKey } from "./peers.ts";

const HOUR_MS = 3_600_000;
const root = mkdtempSync(join(tmpdir(), "hawser-move-"));
after(() => rmSync(root, { recursive: true }));

const KEY = { home: key(1), lake: key(2), shop: key(3) };

/** A remote.toml of an earlier release, as people write it by hand. */
const TABLES = `
# the house
[[peer]]
name = "home"
key = "${KEY.home}"

# the house at the lake
[[ peer ]] # by hand
# its LTE line is slow
name = 'lake' # not home
"key" = "${KEY.lake}"
allow = [
  "public", # all
  "127.0.0.1:5432",
]
max_flows = 100 # few
max_bytes_in_flight = "8MiB"
# end of the lake
[limits]
memory = "64MiB" # of all

[["peer"]]
key = "${KEY.shop}"
name = "shop"
old_key = "${KEY.home}"
old_key_until = 2099-01-31T12:00:00+01:00
# the last line`;

const REST = `
# the house
# the house at the lake
# end of the lake
[limits]
memory = "64MiB" # of all

# the last line`;

let directory = "";
let file = "";
let head = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "x-"));
  file = join(directory, "remote.toml");
  initConfig(file, { listen: { host: "127.0.0.1", port: 4433 }, advertise: [] });
  // Earlier releases made no folder.
  rmSync(join(directory, "peers"), { recursive: true });
  head = readFileSync(file, "utf8");
  writeFileSync(file, head + TABLES);
});

function key(byte: number): string {
  return Secret.fromBytes(Buffer.alloc(32, byte)).revealBase64url();
}

function textOf(name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

function pairingOf({ line }: PairingLine): Pairing {
  const pairing = parsePairing(line);
  assert.ok(pairing.ok);
  return pairing.value;
}

function admitted({ name, psk }: Pairing): PeerKey | undefined {
  return new PeerKeys(loadRemoteConfig(file)).find(pskIdentity(name, psk));
}

/** All that is said of every peer, to compare before and after a move. */
function said(): Record<string, unknown> {
  const shown = (_: string, value: unknown): unknown => (value instanceof Date ? value.getTime() : value);
  const peers = loadRemoteConfig(file).peers.map(({ key: present, old_key: old, ...peer }) => {
    const keys = [present.revealBase64url(), old?.revealBase64url()];
    return [peer.name, JSON.parse(JSON.stringify([keys, peer], shown))];
  });
  return Object.fromEntries(peers);
}

const EDITS: Record<string, () => unknown> = {
  pair: () => addPeer(file, "new"),
  rotate: () => rotateKey(file, "home", HOUR_MS),
  unpair: () => removePeer(file, "home"),
};

test("tables are read in place: reading moves nothing", () => {
  assert.deepEqual(
    loadRemoteConfig(file).peers.map(({ name }) => name),
    ["home", "lake", "shop"],
  );
  checkRemoteConfig(file);
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "remote.toml"]);
});

for (const [command, edit] of Object.entries(EDITS)) {
  test(`${command} moves all tables into files, and leaves the rest of remote.toml byte for byte`, () => {
    const before = said();
    edit();
    assert.equal(textOf("remote.toml"), head + REST);
    const now = said();
    for (const name of command === "pair" ? ["home", "lake", "shop"] : ["lake", "shop"])
      assert.deepEqual(now[name], before[name]);
    assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "peers", "remote.toml"]);
    checkRemoteConfig(file);
  });
}

test("limits that were written by hand move along, and the comments above them", () => {
  const { notes } = addPeer(file, "new");
  assert.deepEqual(notes, [
    `moved into ${directory}/peers, without the comments at the ends of their lines: home, lake, shop`,
  ]);
  assert.equal(
    textOf("peers/lake.toml"),
    `# its LTE line is slow\nkey = "${KEY.lake}"\nallow = [ "public", "127.0.0.1:5432" ]\nmax_flows = 100\nmax_bytes_in_flight = "8MiB"\n`,
  );
  assert.match(textOf("peers/shop.toml"), /^old_key_until = 2099-01-31T12:00:00\.000\+01:00$/m);
  for (const name of readdirSync(join(directory, "peers")))
    assert.equal(statSync(join(directory, "peers", name)).mode & 0o7777, 0o600);
  assert.deepEqual(addPeer(file, "newer").notes, []);
});

test("a rotation that is under way goes on: when the gateway ends it, the tables are moved, too", async () => {
  const rotated = pairingOf(rotateKey(file, "home", HOUR_MS));
  // The table as an earlier release has written it.
  const table = textOf("peers/home.toml");
  rmSync(join(directory, "peers"), { recursive: true });
  writeFileSync(file, `${head}${TABLES}`.replace(`key = "${KEY.home}"\n\n`, `${table}\n`));
  await dropOldKey(file, admitted(rotated) as PeerKey);
  assert.equal(textOf("remote.toml"), head + REST);
  assert.match(textOf("peers/home.toml"), /^key = "[^"]+"\n$/);
  assert.ok(admitted(rotated));
});

test("a refused command moves nothing", () => {
  const text = textOf("remote.toml");
  assert.throws(() => addPeer(file, "home"), { code: "PEER_EXISTS" });
  assert.throws(() => rotateKey(file, "hoem", 0), { code: "PEER_UNKNOWN" });
  assert.throws(() => removePeer(file, "hoem"), { code: "PEER_UNKNOWN" });
  chmodSync(file, 0o644);
  assert.throws(() => addPeer(file, "new"), {
    code: "SECRET_EXPOSED",
    message: /remote\.toml: peer: .*chmod 600/,
  });
  assert.equal(textOf("remote.toml"), text);
  assert.deepEqual(readdirSync(directory).sort(), ["identity.pem", "remote.toml"]);
});

test("a move that breaks off half way loses no peer, and the next command finishes it", () => {
  const before = said();
  // A directory stands in the place of the second file, and cannot be replaced.
  mkdirSync(join(directory, "peers/lake.toml"), { recursive: true });
  for (const edit of Object.values(EDITS)) {
    assert.throws(edit, { code: "CONFIG_UNREADABLE", message: /peers\/lake\.toml: is a directory/ });
    assert.equal(textOf("remote.toml"), head + TABLES);
    assert.deepEqual(said(), before);
  }
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml", "lake.toml"]);
  rmSync(join(directory, "peers/lake.toml"), { recursive: true });
  addPeer(file, "new");
  assert.equal(textOf("remote.toml"), head + REST);
  const { new: _, ...others } = said();
  assert.deepEqual(others, before);
});

test("a command that is killed while it moves: every peer is admitted as before, whenever that was", async () => {
  const many = Array.from({ length: 60 }, (_, i) => `[[peer]]\nname = "p${i}"\nkey = "${key(i)}"\n\n`);
  writeFileSync(file, head + many.join(""));
  const before = said();
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    addPeer(process.argv[1], "new");`;
  const folder = join(directory, "peers");
  for (const files of [1, 20, 59]) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, file]);
    const look = setInterval(() => {
      if (existsSync(folder) && readdirSync(folder).length >= files) child.kill("SIGKILL");
    }, 1);
    await once(child, "close");
    clearInterval(look);
    const { new: _, ...others } = said();
    assert.deepEqual(others, before, `killed at ${files} files`);
  }
  try {
    addPeer(file, "new");
  } catch (error) {
    // The last command was done before it was killed.
    assert.equal((error as { code?: string }).code, "PEER_EXISTS");
  }
  const { new: added, ...others } = said();
  assert.ok(added);
  assert.deepEqual(others, before);
  assert.equal(readdirSync(folder).length, 61);
  checkRemoteConfig(file);
});

test("the end of a rotation waits for no other peer's table", async () => {
  addPeer(file, "new");
  const rotated = pairingOf(rotateKey(file, "new", HOUR_MS));
  writeFileSync(file, head + TABLES);
  writeFileSync(join(directory, "peers/shop.toml"), `key = "${KEY.lake}"\n`);
  await dropOldKey(file, admitted(rotated) as PeerKey);
  assert.doesNotMatch(textOf("peers/new.toml"), /old_key/);
  assert.equal(textOf("remote.toml"), head + TABLES);
});

test("after a move that broke off before remote.toml was replaced, unpair removes the peer from both places", () => {
  addPeer(file, "new");
  writeFileSync(file, head + TABLES);
  removePeer(file, "home");
  assert.equal(textOf("remote.toml"), head + REST);
  assert.deepEqual(readdirSync(join(directory, "peers")), ["lake.toml", "new.toml", "shop.toml"]);
});

test("when a peer's file and table differ, nothing is moved until the user deletes one of them", () => {
  const text = head + TABLES;
  mkdirSync(join(directory, "peers"), { mode: 0o700 });
  writeFileSync(join(directory, "peers/shop.toml"), `key = "${KEY.shop}"\n`, { mode: 0o600 });
  for (const edit of Object.values(EDITS)) {
    assert.throws(edit, {
      code: "CONFIG_INVALID",
      message: `${file}: peer[2]: "shop" has a file, too, which says something else: ${directory}/peers/shop.toml; delete that or this table`,
    });
    assert.equal(textOf("remote.toml"), text);
  }
  removePeer(file, "shop");
  assert.equal(textOf("remote.toml"), head + REST);
  assert.deepEqual(readdirSync(join(directory, "peers")), ["home.toml", "lake.toml"]);
});

test("several commands at the same time move the tables once, and all peers are kept", async () => {
  const before = said();
  const program = `
    import { addPeer } from ${JSON.stringify(new URL("peers.ts", import.meta.url).href)};
    addPeer(process.argv[1], process.argv[2]);`;
  const pair = (name: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, file, name]);
  await Promise.all(["w", "x", "y", "z"].map(pair));
  assert.equal(textOf("remote.toml"), head + REST);
  const { w, x, y, z, ...others } = said();
  assert.ok(w && x && y && z);
  assert.deepEqual(others, before);
});

test("peers that are no [[peer]] tables are left to their author", () => {
  const written = `peer = [{ name = "home", key = "${KEY.home}" }]\n${head}`;
  writeFileSync(file, written);
  for (const edit of Object.values(EDITS))
    assert.throws(edit, { code: "CONFIG_UNWRITABLE", message: /; write each as a \[\[peer\]\] table$/ });
  assert.equal(textOf("remote.toml"), written);
  assert.deepEqual(readdirSync(join(directory, "peers")), []);
});
