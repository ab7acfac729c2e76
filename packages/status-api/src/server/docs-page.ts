/** `GET /docs`: the API for people. The page holds the OpenAPI document, and Swagger UI draws it. */

import { type Asset, fileAsset, type Page, pagePolicy } from "./pages.ts";

/** The files that the page loads, by the names that it has for them. */
const FILES: Readonly<Record<string, () => string>> = {
  "swagger-ui.css": () => import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
  "swagger-ui.js": () => import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
  "docs.css": () => ownFile("docs.css"),
  "docs.js": () => ownFile("docs.js"),
};

/** The file behind `/docs/assets/NAME`; undefined when the page has none of that name. */
export function docsAsset(name: string): Promise<Asset> | undefined {
  return Object.hasOwn(FILES, name) ? fileAsset(FILES[name]?.() as string) : undefined;
}

/** The document stands in the page: whoever may see the page need not ask for more, which would take the token. */
export function docsPage(document: object): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="stylesheet" href="/docs/assets/docs.css">
<title>Hawser API</title>
<script type="application/json" id="openapi">${escapeScript(JSON.stringify(document))}</script>
<script src="/docs/assets/swagger-ui.js" defer></script>
<script src="/docs/assets/docs.js" type="module"></script>
</head>
<body>
<nav><a href="/">Dashboard</a> <a href="/docs/json">OpenAPI document</a></nav>
<main id="docs"><noscript>This page needs JavaScript; the OpenAPI document says the same.</noscript></main>
</body>
</html>
`;
  // Swagger UI's styles have pictures in data: URLs.
  return { html, policy: pagePolicy({ scripts: "'self'", images: "'self' data:" }) };
}

/** Text that cannot end the script element that it stands in. */
function escapeScript(json: string): string {
  return json.replaceAll("<", "\\u003c");
}

/** Of this package's folder, which is as far above `src/server` as above `dist/server`. */
function ownFile(name: string): string {
  return new URL(`../../assets/${name}`, import.meta.url).href;
}
