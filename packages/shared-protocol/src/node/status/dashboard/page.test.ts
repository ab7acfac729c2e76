import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Script } from "node:vm";
import { dashboardPage, docsPage } from "./page.ts";
import { SCRIPT } from "./script.ts";

test("the dashboard asks for nothing from elsewhere", () => {
  const { html, policy } = dashboardPage;
  assert.doesNotMatch(html, /https?:\/\/|@import|url\(|<img|<iframe/);
  assert.doesNotMatch(html, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  assert.match(policy, /^default-src 'none'; .*connect-src 'self'/);
});

test("the policy allows exactly the page's own style and script", () => {
  for (const tag of ["style", "script"]) {
    const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(dashboardPage.html)?.[1] ?? "";
    const hash = createHash("sha256").update(text).digest("base64");
    assert.ok(dashboardPage.policy.includes(`${tag}-src 'sha256-${hash}';`), tag);
  }
  assert.match(docsPage([]).policy, /script-src 'none'/);
});

test("the script is one", () => {
  assert.ok(new Script(SCRIPT));
});

test("the documentation escapes what it shows", () => {
  const { html } = docsPage([{ method: "GET", path: "/<x>", summary: 'a "b" & c', statuses: ["200"] }]);
  assert.ok(html.includes("GET /&lt;x&gt;") && html.includes("a &quot;b&quot; &amp; c"));
});
