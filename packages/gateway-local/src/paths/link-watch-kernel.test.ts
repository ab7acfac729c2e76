/** The watch of links against the kernel's own messages, in a network namespace of its own. */

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import { createLogger } from "@hawser/gateway-kit";
import { localAddresses } from "@hawser/linux-sockets";
import { type Link, type LinkOwner, LinkWatch } from "./link-watch.ts";

/** Set in the process that runs the test itself, within the namespace. */
const IN_NAMESPACE = "HAWSER_TEST_LINK_WATCH";
const PATIENCE_MS = 5_000;

class Owner extends EventEmitter implements LinkOwner {
  readonly config: Link;
  /** What the watch has told and the test has not awaited yet. */
  readonly #told: string[] = [];

  constructor(config: Link) {
    super();
    this.config = config;
  }

  handleLinkLost(): void {
    this.#tell("lost");
  }

  handleLinkBack(): void {
    this.#tell("back");
  }

  handleAddressesGone(addresses: ReadonlySet<string>): void {
    this.#tell(`gone ${[...addresses].filter((address) => address.includes(".")).join()}`);
  }

  #tell(what: string): void {
    this.#told.push(what);
    this.emit("told");
  }

  /** Waits until the watch tells this. What it tells before is skipped. */
  async hears(what: string): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const told = this.#told.shift();
      if (told === what) return;
      if (told === undefined) await once(this, "told", { signal }).catch(() => assert.fail(`never ${what}`));
    }
  }
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "pipe"] });
}

async function tryAll(): Promise<void> {
  try {
    ip("link add dsl type veth peer name modem");
  } catch {
    return console.log("skip needs ip and veth interfaces");
  }
  ip("address add 192.0.2.1/24 dev dsl");
  for (const name of ["lo", "dsl", "modem"]) ip(`link set ${name} up`);
  let looks = 0;
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const watch = new LinkWatch({
    logger,
    list: () => {
      looks++;
      return localAddresses();
    },
  });
  const dsl = new Owner({ interface: "dsl" });
  const source = new Owner({ source: "192.0.2.1" });
  for (const owner of [dsl, source]) watch.add(owner);
  await breakLine(dsl, source);

  const before = looks;
  const batch = Array.from({ length: 500 }, (_, n) => `192.0.${n >> 8}.${n & 255}/32 dev lo\n`);
  execFileSync("ip", ["-batch", "-"], {
    input: batch.flatMap((line) => [`address add ${line}`, `address del ${line}`]).join(""),
  });
  ip("link set dsl down");
  await dsl.hears("lost");
  assert.ok(looks - before < 50, `${looks - before} looks at 1000 changes`);
  for (const owner of [dsl, source]) watch.remove(owner);
  console.log("done");
}

/** Brings about each fault that a line can have, and mends it. */
async function breakLine(dsl: Owner, source: Owner): Promise<void> {
  ip("link set dsl down");
  for (const owner of [dsl, source]) await owner.hears("lost");
  ip("link set dsl up");
  for (const owner of [dsl, source]) await owner.hears("back");
  // A modem that is off: the interface is up, and has no carrier.
  ip("link set modem down");
  for (const owner of [dsl, source]) await owner.hears("lost");
  ip("link set modem up");
  for (const owner of [dsl, source]) await owner.hears("back");
  ip("address add 192.0.2.2/24 dev dsl");
  ip("address del 192.0.2.1/24 dev dsl");
  await source.hears("lost");
  await dsl.hears("gone 192.0.2.1");
  ip("address add 192.0.2.1/24 dev lo");
  await source.hears("back");
  ip("link set dsl down");
  ip("link set dsl name other");
  ip("link set other up");
  await dsl.hears("lost");
  ip("link delete other");
  ip("link add dsl type veth peer name modem");
  ip("address add 192.0.2.9/24 dev dsl");
  for (const name of ["dsl", "modem"]) ip(`link set ${name} up`);
  await dsl.hears("back");
}

if (process.env[IN_NAMESPACE]) await tryAll();
else
  test("interfaces that go down, lose their carrier or address, are renamed, or made again", {
    skip: process.getuid?.() !== 0 && "needs root",
  }, async (context) => {
    const env = { ...process.env, [IN_NAMESPACE]: "1" };
    const args = ["--net", process.execPath, import.meta.filename];
    const { stdout } = await promisify(execFile)("unshare", args, { env });
    if (stdout.startsWith("skip")) context.skip(stdout.slice(5).trim());
    else assert.equal(stdout, "done\n");
  });
