import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asset } from "@hawser/status-api";
import { docsPage } from "@hawser/status-api/testing";
import { asset, MODULES } from "./assets.ts";
import { dashboardPage } from "./page.ts";

/** All that the page loads, compressed. Bytes. */
const MAX_SIZE = 150_000;

/** What the page loads, by name: what it names, and what the scripts among that import. */
function loaded(): Map<string, Asset> {
  const found = new Map<string, Asset>();
  const wanted = [...dashboardPage.html.matchAll(/"\/assets\/([^"]+)"/g)].map(([, name]) => name as string);
  for (const name of wanted) {
    if (found.has(name)) continue;
    const part = asset(name);
    assert.ok(part, name);
    found.set(name, part);
    for (const [, from = ""] of part.body
      .toString()
      .matchAll(/^(?:import|export)[^"';()=]*\bfrom\s*"([^"]+)"/gm)) {
      if (from.startsWith(".")) wanted.push(new URL(from, `http://x/${name}`).pathname.slice(1));
      else assert.ok(from in MODULES, `${name} imports ${from}`);
    }
  }
  return found;
}

test("the page is small, complete, and loads nothing from elsewhere", () => {
  let size = dashboardPage.html.length;
  for (const [name, { body, gzipped }] of loaded()) {
    size += gzipped.length;
    assert.doesNotMatch(body.toString(), /@import|url\(/, name);
  }
  assert.ok(size > 50_000 && size < MAX_SIZE, `${size} bytes`);
  assert.match(dashboardPage.policy, /^default-src 'none'; style-src 'self'; .*connect-src 'self'/);
  assert.doesNotMatch(dashboardPage.policy, /unsafe|https?:/);
  assert.match(docsPage([]).policy, /script-src 'none'/);
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

test("the documentation escapes what it shows", () => {
  const { html } = docsPage([
    { method: "GET", path: "/<x>", summary: 'a "b" & c', takes: ["body: <s>"], statuses: ["200"] },
  ]);
  assert.ok(html.includes("GET /&lt;x&gt;") && html.includes("a &quot;b&quot; &amp; c"));
  assert.ok(html.includes("<li>body: &lt;s&gt;</li>"));
});
