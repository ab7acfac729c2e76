import { type Page, pagePolicy } from "./pages.ts";

export interface DocumentedRoute {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  /** Parameters and fields of the body, each with what it means. */
  readonly takes: readonly string[];
  readonly statuses: readonly string[];
}

/** `GET /docs`: what there is, for people. */
export function docsPage(routes: readonly DocumentedRoute[]): Page {
  const rows = routes.map(({ method, path, summary, takes, statuses }) => {
    const [request, meaning, answers] = [`${method} ${path}`, summary, statuses.join(", ")].map(escapeHtml);
    const taken = takes.map((each) => `<li>${escapeHtml(each)}</li>`).join("");
    const list = taken === "" ? "" : `<ul>${taken}</ul>`;
    return `<tr><td>${request}</td><td>${meaning}${list}</td><td>${answers}</td></tr>`;
  });
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/dashboard.css">
<title>Hawser API</title>
</head>
<body><main class="docs"><h1>Hawser API</h1>
<p><a href="/docs/json">OpenAPI document</a> · <a href="/">Dashboard</a></p>
<table class="card"><thead><tr><th>Request</th><th>Meaning</th><th>Answers</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></main></body>
</html>
`;
  return { html, policy: pagePolicy("'none'") };
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
