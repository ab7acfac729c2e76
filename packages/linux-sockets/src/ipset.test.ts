import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { IpSetErrno, IpSets } from "./ipset.ts";
import { SystemError } from "./system-error.ts";

/** The test itself, in a network namespace of its own: sets belong to one. */
const IN_NAMESPACE = "HAWSER_TEST_IPSET";
const NAME = "HAWSER-test.refused";

if (process.env[IN_NAMESPACE]) await tryAll();
else
  test("sets are made, filled, asked, emptied and removed", {
    skip: process.getuid?.() !== 0 && "needs root",
  }, async (context) => {
    const env = { ...process.env, [IN_NAMESPACE]: "1" };
    const args = ["--net", process.execPath, import.meta.filename];
    const { stdout } = await promisify(execFile)("unshare", args, { env });
    if (stdout.startsWith("skip")) context.skip("the kernel has no ipset");
    else assert.equal(stdout, "done\n");
  });

async function tryAll(): Promise<void> {
  const sets = new IpSets();
  const set = { name: NAME, family: "ipv4", timeoutSeconds: 60, maxElements: 2 } as const;
  assert.equal(await sets.has(NAME).catch(() => undefined), false);
  try {
    await sets.create(set);
  } catch {
    console.log("skip");
    return sets.close();
  }
  await sets.create(set);
  await rejects(sets.create({ ...set, timeoutSeconds: 61 }), 17);
  assert.equal(await sets.has(NAME), true);
  const entry = (port: number) => ({ address: "192.0.2.1", port });
  await sets.add(NAME, entry(80));
  await sets.add(NAME, entry(80));
  await sets.add(NAME, entry(81));
  await rejects(sets.add(NAME, entry(82)), IpSetErrno.full);
  await sets.delete(NAME, entry(80));
  await sets.delete(NAME, entry(99));
  await sets.add(NAME, entry(82));
  await sets.flush(NAME);
  await sets.add(NAME, entry(83));
  await rejects(sets.add(NAME, { address: "2001:db8::1", port: 80 }), 4097);
  const name6 = `${NAME}6`;
  await sets.create({ ...set, name: name6, family: "ipv6" });
  await sets.add(name6, { address: "2001:db8::1", port: 80 });
  await sets.destroy(NAME);
  await sets.destroy(name6);
  await sets.destroy(NAME);
  assert.equal(await sets.has(NAME), false);
  sets.close();
  console.log("done");
}

async function rejects(done: Promise<void>, errno: number): Promise<void> {
  await assert.rejects(done, (error) => error instanceof SystemError && error.errno === errno);
}
