import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asset } from "@hawser/status-api";
import { asset, MODULES } from "./assets.ts";
import { dashboardPage } from "./page.ts";

/** All that the page loads, compressed. Bytes. */
const MAX_SIZE = 150_000;

/** What the page loads, by name: what it names, and what the scripts among that import. */
async function loaded(): Promise<Map<string, Asset>> {
  const found = new Map<string, Asset>();
  const wanted = [...dashboardPage.html.matchAll(/"\/assets\/([^"]+)"/g)].map(([, name]) => name as string);
  for (const name of wanted) {
    if (found.has(name)) continue;
    const part = await asset(name);
    assert.ok(part, name);
    found.set(name, part);
    assert.match(part.type, /^(text\/(css|javascript); charset=utf-8|image\/svg\+xml)$/, name);
    for (const [, from = ""] of part.body
      .toString()
      .matchAll(/^(?:import|export)[^"';()=]*\bfrom\s*"([^"]+)"/gm)) {
      if (from.startsWith(".")) wanted.push(new URL(from, `http://x/${name}`).pathname.slice(1));
      else assert.ok(from in MODULES, `${name} imports ${from}`);
    }
  }
  return found;
}

test("the page is small, complete, and loads nothing from elsewhere", async () => {
  let size = dashboardPage.html.length;
  for (const [name, { body, gzipped }] of await loaded()) {
    size += gzipped.length;
    assert.doesNotMatch(body.toString(), /@import|url\(/, name);
  }
  assert.ok(size > 50_000 && size < MAX_SIZE, `${size} bytes`);
  assert.match(dashboardPage.policy, /^default-src 'none'; style-src 'self'; .*connect-src 'self'/);
  assert.doesNotMatch(dashboardPage.policy, /unsafe|https?:/);
});

test("nothing else is served as a part of the page", () => {
  for (const name of [
    "",
    "../package.json",
    "dashboard/../node/log.js",
    "node/log.js",
    "dashboard/x.map",
    "toString",
  ])
    assert.equal(asset(name), undefined, name);
});
