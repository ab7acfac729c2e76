import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { generateSecret } from "@hawser/shared-protocol";
import { checkRemoteConfig, loadRemoteConfig, type RemoteConfig } from "./config.ts";
import { RemoteGateway } from "./gateway.ts";
import { initConfig } from "./init.ts";
import { addPeer } from "./peers.ts";

const root = mkdtempSync(join(tmpdir(), "hawser-peer-folder-"));
after(() => rmSync(root, { recursive: true }));

const isRoot = process.geteuid?.() === 0;
let directory = "";
let file = "";
let home = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "x-"));
  file = join(directory, "remote.toml");
  home = join(directory, "peers/home.toml");
  initConfig(file, {
    listen: { host: "127.0.0.1", port: 0 },
    advertise: [{ host: "vps.example", port: 4433 }],
  });
  for (const name of ["home", "lake"]) addPeer(file, name);
});

function names({ peers }: RemoteConfig): string[] {
  return peers.map(({ name }) => name);
}

function problems({ problems: found }: RemoteConfig): string[] {
  return found
    .flatMap(({ findings }) => findings)
    .map(({ file: where, key, what }) => `${where}: ${key}: ${what}`.replaceAll(`${directory}/`, ""));
}

function checked(): string {
  try {
    checkRemoteConfig(file);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

/** The faults that a peer's file may have, and what is reported of each. */
const WRONG: Record<string, { spoil: () => void; said: RegExp; needsRoot?: true }> = {
  "is no TOML": {
    spoil: () => writeFileSync(home, 'key = "x'),
    said: /^peers\/home\.toml: line 1, column \d+: /,
  },
  "is empty": { spoil: () => writeFileSync(home, ""), said: /^peers\/home\.toml: key: is required/ },
  "has a damaged key": {
    spoil: () => writeFileSync(home, 'key = "abc"'),
    said: /^peers\/home\.toml: key: is not 32 bytes of base64url .*\(line 1\)$/,
  },
  "has an unknown key": {
    spoil: () => writeFileSync(home, `${readFileSync(home, "utf8")}alow = []`),
    said: /^peers\/home\.toml: alow: unknown key; did you mean "allow"\?/,
  },
  "has half a rotation": {
    spoil: () => writeFileSync(home, `${readFileSync(home, "utf8")}old_key_until = 2026-01-01T00:00:00Z`),
    said: /^peers\/home\.toml: : needs both old_key and old_key_until/,
  },
  "can be read by others": {
    spoil: () => chmodSync(home, 0o644),
    said: /^peers\/home\.toml: : holds a secret, .*\(mode 0644\); run: chmod 600 peers\/home\.toml$/,
  },
  "belongs to another user": {
    spoil: () => chownSync(home, 65_534, 65_534),
    said: /^peers\/home\.toml: : belongs to user 65534, and its folder to user 0; run: chown 0:0 peers\/home\.toml$/,
    needsRoot: true,
  },
  "is a link to nowhere": {
    spoil: () => {
      rmSync(home);
      symlinkSync("nowhere", home);
    },
    said: /^peers\/home\.toml: : does not exist/,
  },
  "is a directory": {
    spoil: () => {
      rmSync(home);
      mkdirSync(home);
    },
    said: /^peers\/home\.toml: : is a directory/,
  },
};

for (const [what, { spoil, said, needsRoot }] of Object.entries(WRONG)) {
  test(`a peer's file that ${what}: after a start its home is out, after a reload its home stays as it was; other homes are admitted`, {
    skip: needsRoot && !isRoot && "needs root",
  }, () => {
    const before = loadRemoteConfig(file);
    assert.deepEqual(problems(before), []);
    spoil();
    const started = loadRemoteConfig(file);
    assert.deepEqual(names(started), ["lake"]);
    assert.match(problems(started).join(), said);
    assert.match(checked().replaceAll(`${directory}/`, ""), new RegExp(said.source.replace(/: : /, ": ")));
    const followed = loadRemoteConfig(file, before.peers);
    assert.deepEqual(names(followed), ["home", "lake"]);
    assert.equal(followed.peers[0], before.peers[0]);
    assert.deepEqual(problems(followed), problems(started));
  });
}

test("a home is out when its file is removed", () => {
  const { peers } = loadRemoteConfig(file);
  rmSync(home);
  assert.deepEqual(names(loadRemoteConfig(file, peers)), ["lake"]);
  rmSync(join(directory, "peers"), { recursive: true });
  assert.deepEqual(names(loadRemoteConfig(file, peers)), []);
  assert.equal(checked(), "");
});

test("no file counts in a folder that others can write to", () => {
  chmodSync(join(directory, "peers"), 0o777);
  const config = loadRemoteConfig(file);
  assert.deepEqual(names(config), []);
  assert.match(
    problems(config)[1] ?? "",
    /^peers\/lake\.toml: .*others can replace it .*; run: chmod go-w peers$/,
  );
});

test("a folder that cannot be listed is an error, and the peers stay as they were", () => {
  rmSync(join(directory, "peers"), { recursive: true });
  writeFileSync(join(directory, "peers"), "");
  assert.throws(() => loadRemoteConfig(file), { code: "CONFIG_UNREADABLE", message: /peers: .*ENOTDIR/ });
});

test("files with other names in the folder: hidden ones and other endings are ignored, all others are reported", () => {
  const [text, folder] = [readFileSync(home, "utf8"), join(directory, "peers")];
  for (const name of [".#home.toml", ".home.toml.swp", "home.toml~", "README", ".toml", "home.toml.bak"])
    writeFileSync(join(folder, name), text);
  assert.deepEqual(problems(loadRemoteConfig(file)), []);
  writeFileSync(join(folder, "my home.toml"), text, { mode: 0o600 });
  const config = loadRemoteConfig(file);
  assert.deepEqual(names(config), ["home", "lake"]);
  assert.match(
    problems(config).join(),
    /^peers\/my home\.toml: : the name of the file is the peer's, and "my home" is not a valid name;/,
  );
});

test("of a peer in both places the file counts, and the report says to delete the table", () => {
  const keys = [generateSecret().revealBase64url(), generateSecret().revealBase64url()];
  const tables = ["home", "office"].map((name, i) => `[[peer]]\nname = "${name}"\nkey = "${keys[i]}"\n`);
  writeFileSync(file, readFileSync(file, "utf8") + tables.join(""));
  const config = loadRemoteConfig(file);
  assert.deepEqual(names(config), ["home", "lake", "office"]);
  assert.ok(readFileSync(home, "utf8").includes(config.peers[0]?.key.revealBase64url() ?? "-"));
  assert.deepEqual(problems(config), [
    'remote.toml: peer[0]: "home" has a file, too, which counts: peers/home.toml; delete this table',
  ]);
  // A damaged file locks no peer out that has a table, too.
  writeFileSync(home, "");
  const damaged = loadRemoteConfig(file);
  assert.equal(damaged.peers[0]?.key.revealBase64url(), keys[0]);
  assert.match(problems(damaged).join(), /^peers\/home\.toml: key: is required/);
});

test("a gateway reports a fault once, in log and events, with file and mend; other homes are untouched", async () => {
  const logged: { msg: string; peer?: string }[] = [];
  const destination = { write: (line: string) => void logged.push(JSON.parse(line)) };
  const logger = createLogger({ role: "remote", name: "test", level: "error", destination });
  chmodSync(home, 0o644);
  const gateway = new RemoteGateway(loadRemoteConfig(file), logger);
  const reload = (): void => gateway.reload(loadRemoteConfig(file, gateway.config.peers));
  const told = (): string[] =>
    [...gateway.sessions.events.since(0)].map(({ type, peer, message }) =>
      `${type} ${peer} ${message}`.replaceAll(`${directory}/`, ""),
    );
  await gateway.start();
  try {
    assert.equal(told().length, 1);
    assert.match(
      told()[0] ?? "",
      /^peer-file-wrong home the peer is not admitted: peers\/home\.toml: .*; run: chmod 600 peers\/home\.toml$/,
    );
    assert.deepEqual(
      logged.map(({ peer }) => peer),
      ["home"],
    );
    reload();
    assert.equal(told().length, 1);
    chmodSync(home, 0o600);
    reload();
    assert.deepEqual(names(gateway.config), ["home", "lake"]);
    chmodSync(home, 0o644);
    reload();
    assert.match(
      told()[1] ?? "",
      /^peer-file-wrong home the peer is admitted as before: peers\/home\.toml: /,
    );
    assert.deepEqual(names(gateway.config), ["home", "lake"]);
  } finally {
    await gateway.stop(0, AbortSignal.abort());
  }
});
