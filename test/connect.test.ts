/** `hawser-local connect` with a gateway that this test plays. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { formatPairing, generateSecret } from "@hawser/shared-protocol/node";

const PROGRAM = fileURLToPath(new URL("../packages/gateway-local/bin/hawser-local.mjs", import.meta.url));
/** More than a pipe holds, by less than the program takes without waiting for the pipe. */
const BYTES = 90_000;

test("what waits for a late reader is written before stdout is closed", async () => {
  const gateway = createServer((socket) => {
    socket.once("data", () => socket.end(`HTTP/1.1 200 Yes\r\n\r\n${"x".repeat(BYTES)}`));
  });
  await new Promise<void>((listening) => gateway.listen(0, "127.0.0.1", listening));
  const folder = mkdtempSync(join(tmpdir(), "hawser-connect-"));
  const file = join(folder, "local.toml");
  const { port } = gateway.address() as AddressInfo;
  const pairing = formatPairing({
    name: "home",
    psk: generateSecret(),
    endpoints: [{ host: "::1", port: 1 }],
  });
  const config = [
    `remote = "${pairing}"`,
    `[[path]]\nname = "line"\ninterface = "lo"`,
    `[status]\nlisten = "127.0.0.1:${port}"`,
  ];
  writeFileSync(file, config.join("\n"), { mode: 0o600 });
  const script = '"$0" "$1" connect -c "$2" origin.example 80 </dev/null | { sleep 2; wc -c; }';
  const { stdout } = await promisify(execFile)("sh", ["-c", script, process.execPath, PROGRAM, file]);
  gateway.close();
  rmSync(folder, { recursive: true });
  assert.equal(Number(stdout), BYTES);
});
