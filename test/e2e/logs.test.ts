/** `logs` runs journalctl, here a fake that records its arguments. Without journalctl it says what to do. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../packages/gateway-local/bin/hawser-local.mjs", import.meta.url));
const LINE = JSON.stringify({
  level: "info",
  time: "2026-01-02T03:04:05.000Z",
  name: "hawser",
  msg: "listening",
});
const UNIT = "hawser-local";
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "hawser-logs-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A journalctl that records its arguments, and then does this. */
function fakeJournal(does: string): void {
  writeFileSync(join(folder, "journalctl"), `#!/bin/sh\necho "$@" > '${folder}/asked'\n${does}\n`);
  chmodSync(join(folder, "journalctl"), 0o755);
}

const asked = (): string => readFileSync(join(folder, "asked"), "utf8").trim();

function logs(...words: string[]) {
  const env = { ...process.env, PATH: `${folder}:/bin:/usr/bin`, HAWSER_LOG_LEVEL: "" };
  return spawnSync(process.execPath, [PROGRAM, "logs", ...words], { encoding: "utf8", env });
}

test("logs prints the service's lines, readable or unchanged", () => {
  fakeJournal(`echo '${LINE}'; echo 'Started hawser-local.'`);
  const { stdout, stderr, status } = logs();
  assert.deepEqual([stderr, status], ["", 0]);
  assert.match(stdout, /INFO.*listening/);
  assert.match(stdout, /Started hawser-local\./);
  assert.equal(asked(), `-u ${UNIT} -n 100 -o cat -q`);
  assert.equal(logs("--json", "--lines", "5").stdout, `${LINE}\nStarted hawser-local.\n`);
  assert.equal(asked(), `-u ${UNIT} -n 5 -o cat -q`);
  assert.equal(logs("--lines", "0").status, 2);
});

test("logs follows until Ctrl-C, which is no failure", async () => {
  fakeJournal(`echo '${LINE}'; exec sleep 60`);
  const env = { ...process.env, PATH: `${folder}:/bin:/usr/bin` };
  const child = spawn(process.execPath, [PROGRAM, "logs", "--follow", "--json"], { env });
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  assert.equal(first.toString(), `${LINE}\n`);
  assert.equal(asked(), `-u ${UNIT} -n 100 -o cat -q -f`);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "close"), [0, null]);
});

test("without a journal, or with an empty one, logs exits with 1 and says where to look", () => {
  const where = /of a gateway that no service runs, `hawser-local logs -c FILE` shows it\n$/;
  const golden: [() => void, RegExp][] = [
    [() => fakeJournal("exit 0"), /^the journal has nothing of a service hawser-local; /],
    [() => fakeJournal("echo no access >&2; exit 3"), /^no access\njournalctl ended with 3; /],
  ];
  for (const [prepare, why] of golden) {
    prepare();
    const { stdout, stderr, status } = logs();
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, why);
    assert.match(stderr, where);
  }
  rmSync(join(folder, "journalctl"));
  const env = { ...process.env, PATH: folder };
  const { stderr, status } = spawnSync(process.execPath, [PROGRAM, "logs"], { encoding: "utf8", env });
  assert.equal(status, 1);
  assert.match(stderr, /^there is no journalctl here \(systemd has it\); /);
  assert.match(stderr, where);
});
