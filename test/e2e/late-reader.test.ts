/** A command whose output goes into a full pipe prints all of it. This test plays the gateway. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { formatPairing, generateSecret } from "@hawser/shared-protocol";

const PROGRAM = fileURLToPath(new URL("../../packages/gateway-local/bin/hawser-local.mjs", import.meta.url));
/** More bytes than a pipe holds. The rest is less than the program takes without waiting for the pipe. */
const TUNNELLED = 90_000;
const FLOW = { id: "a-1", from: "192.0.2.1:1", to: "192.0.2.2:2", kind: "redirect", ageSeconds: 1 };
const FLOWS = Array.from({ length: 1_000 }, () => ({ ...FLOW, sentBytes: 1, receivedBytes: 1, paths: [] }));

const folder = mkdtempSync(join(tmpdir(), "hawser-late-reader-"));
const file = join(folder, "local.toml");
const gateway = createServer((_request, response) => response.end(JSON.stringify(FLOWS)));
gateway.on("connect", (_request, socket) => socket.end(`HTTP/1.1 200 Yes\r\n\r\n${"x".repeat(TUNNELLED)}`));

before(async () => {
  await new Promise<void>((listening) => gateway.listen(0, "127.0.0.1", listening));
  const { port } = gateway.address() as AddressInfo;
  const endpoints = [{ host: "192.0.2.1", port: 1 }];
  const config = [
    `remote = "${formatPairing({ name: "home", psk: generateSecret(), endpoints })}"`,
    `[[path]]\nname = "line"\ninterface = "lo"`,
    `[status]\nlisten = "127.0.0.1:${port}"`,
  ];
  writeFileSync(file, config.join("\n"), { mode: 0o600 });
});
after(() => {
  gateway.close();
  rmSync(folder, { recursive: true });
});

/** How many bytes of a command's output a slow reader gets. */
async function readLate(...args: string[]): Promise<number> {
  const script = '"$@" </dev/null | { sleep 2; wc -c; }';
  const command = [process.execPath, PROGRAM, ...args, "-c", file];
  return Number((await promisify(execFile)("sh", ["-c", script, "sh", ...command])).stdout);
}

test("connect and flows --json print to the last byte", async () => {
  const [tunnelled, listed] = await Promise.all([
    readLate("connect", "origin.example", "80"),
    readLate("flows", "--json"),
  ]);
  assert.deepEqual([tunnelled, listed], [TUNNELLED, `${JSON.stringify(FLOWS, null, 2)}\n`.length]);
});
