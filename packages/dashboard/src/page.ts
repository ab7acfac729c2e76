import { createHash } from "node:crypto";
import { type Page, type Pages, pagePolicy } from "@hawser/status-api";
import { asset, MODULES } from "./assets.ts";

const IMPORT_MAP = JSON.stringify({ imports: MODULES });

const HEAD = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/dashboard.css">`;

/** `GET /`: an empty page, which its script (src/dashboard) fills. */
export const dashboardPage: Page = {
  html: `<!doctype html>
<html lang="en">
<head>
${HEAD}
<link rel="stylesheet" href="/assets/uplot.css">
<title>Hawser</title>
<script type="importmap">${IMPORT_MAP}</script>
<script type="module" src="/assets/dashboard/main.js"></script>
</head>
<body>
<div id="app"><noscript><p class="notice">This page needs JavaScript; the same figures are at <a href="/api/status">/api/status</a>.</p></noscript></div>
</body>
</html>
`,
  policy: pagePolicy({
    scripts: `'self' 'sha256-${createHash("sha256").update(IMPORT_MAP).digest("base64")}'`,
  }),
};

/** What the status server serves of the dashboard. */
export const dashboard: Pages = { front: dashboardPage, asset };
