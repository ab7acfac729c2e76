import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { thisMachine } from "../lab/namespace.ts";
import { Forwarder, freePort } from "./forwarder.ts";

test("a forwarder takes the next free port, passes requests through, and tells when nobody answers", async () => {
  const server = createServer((request, reply) => reply.end(`${request.headers.host} ${request.url}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), "hawser-test-"));
  // The server's own port is taken, of course.
  const forwarder = await Forwarder.start(thisMachine, port, port, join(folder, "test.sock"));
  try {
    assert.ok(forwarder.port > port);
    for (const path of ["/", "/api/status"]) {
      const reply = await fetch(forwarder.url + path);
      assert.equal(await reply.text(), `127.0.0.1:${forwarder.port} ${path}`);
    }
    server.close();
    server.closeAllConnections();
    await assert.rejects(fetch(forwarder.url));
  } finally {
    await forwarder.close();
    rmSync(folder, { recursive: true });
  }
});

test("a free port is one that can be listened on", async () => {
  const port = await freePort();
  assert.ok(port > 0 && (await freePort(port)) >= port);
});
