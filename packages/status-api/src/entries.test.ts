/** What each entry loads: commands and browsers must not wait for the server's packages. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** Loads an entry in a process of its own, and prints the URLs of all modules that came with it. */
const PROBE = `
import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
await import(process.argv[1]);
console.log(JSON.stringify(urls));
`;

function loadedBy(entry: string): string[] {
  const flags = ["--input-type=module", "-e", PROBE, entry];
  const said = execFileSync(process.execPath, flags, { cwd: import.meta.dirname, encoding: "utf8" });
  return JSON.parse(said) as string[];
}

test("the model is what browsers load: its own files, and no schemas", () => {
  const urls = loadedBy("@hawser/status-api/model");
  assert.ok(urls.length > 3);
  for (const url of urls) assert.match(url, /\/status-api\/dist\/model\/[a-z-]+\.js$/);
});

test("the client has the schemas without the server", () => {
  const urls = loadedBy("@hawser/status-api/client");
  assert.ok(urls.some((url) => url.endsWith("/schemas/status.js")));
  for (const url of urls)
    assert.doesNotMatch(url, /\/(@?fastify|prom-client|swagger-ui-dist)\/|\/dist\/server\//);
});
