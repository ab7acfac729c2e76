import { createHash } from "node:crypto";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";
import { TOKEN_SCRIPT } from "./token.ts";

export interface Page {
  readonly html: string;
  /** Allows this page's own style and script, requests to its own server, and nothing else. */
  readonly policy: string;
}

const DASHBOARD = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hawser</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1 id="title">Hawser</h1><span id="about" class="soft"></span><span id="scale" class="soft"></span>
<a href="/docs">API</a> <a href="/metrics">Metrics</a></header>
<main>
<noscript><p class="card">This page needs JavaScript; the same figures are at <a href="/api/status">/api/status</a>.</p></noscript>
<p id="trouble" class="card" role="alert" hidden></p>
<div id="content">
<p id="nobody" class="card" hidden>No local gateway is connected.</p>
<div id="sessions"></div>
<section class="card"><div class="head"><h2>Flows</h2><span id="flow-count" class="soft"></span></div>
<table id="flow-table" hidden><thead><tr><th>From</th><th>To</th><th>Kind</th><th class="num">Age</th><th class="num">Sent</th><th class="num">Received</th><th>Paths</th></tr></thead>
<tbody id="flows"></tbody></table></section>
</div>
</main>
<script>${TOKEN_SCRIPT}${SCRIPT}</script>
</body>
</html>
`;

export const dashboardPage: Page = page(DASHBOARD, [STYLE], [TOKEN_SCRIPT + SCRIPT]);

export interface DocumentedRoute {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly statuses: readonly string[];
}

/** `GET /docs`: what there is, for people. */
export function docsPage(routes: readonly DocumentedRoute[]): Page {
  const rows = routes.map(({ method, path, summary, statuses }) => {
    const cells = [`${method} ${path}`, summary, statuses.join(", ")].map(
      (text) => `<td class="wrap">${escapeHtml(text)}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hawser API</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><header><h1>Hawser API</h1><a href="/docs/json">OpenAPI document</a> <a href="/">Dashboard</a></header>
<main><section class="card"><table><thead><tr><th>Request</th><th>Meaning</th><th>Answers</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></section></main></body>
</html>
`;
  return page(html, [STYLE], []);
}

function page(html: string, styles: readonly string[], scripts: readonly string[]): Page {
  const hashes = (texts: readonly string[]): string =>
    texts.map((text) => ` '${sha256(text)}'`).join("") || " 'none'";
  const policy =
    `default-src 'none'; style-src${hashes(styles)}; script-src${hashes(scripts)}; connect-src 'self'; ` +
    "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
  return { html, policy };
}

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
