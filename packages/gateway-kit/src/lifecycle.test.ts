import assert from "node:assert/strict";
import { test } from "node:test";
import { serveUntilSignalled } from "./lifecycle.ts";
import { createLogger } from "./log.ts";

test("a reload that is asked for during the start comes after it; the end is logged", async () => {
  const calls: string[] = [];
  const messages: string[] = [];
  const started = Promise.withResolvers<void>();
  const reloaded = Promise.withResolvers<void>();
  const service = {
    start: () => started.promise,
    stop: async () => void calls.push("stop"),
    reload: async () => {
      calls.push("reload");
      reloaded.resolve();
    },
    emergency: async () => {},
  };
  const destination = { write: (line: string) => void messages.push(JSON.parse(line).msg as string) };
  const over = serveUntilSignalled(
    service,
    createLogger({ role: "local", name: "test", level: "info", destination }),
  );
  process.emit("SIGHUP");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls, []);
  started.resolve();
  await reloaded.promise;
  process.emit("SIGTERM");
  await over;
  assert.deepEqual(calls, ["reload", "stop"]);
  assert.deepEqual(messages, ["stopping", "stopped"]);
});
