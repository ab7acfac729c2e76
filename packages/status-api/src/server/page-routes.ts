/** What people see: the dashboard, which others make, and the documentation of the API. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { done, failed } from "./answers.ts";
import { docsAsset, docsPage } from "./docs-page.ts";
import { DOCS_ASSETS_ROUTE } from "./guard.ts";
import type { Asset, Page, Pages } from "./pages.ts";
import { sendProblem } from "./problems.ts";
import type { StatusSource } from "./source.ts";

/** The rest of the path. */
interface AssetRoute {
  Params: { "*": string };
}

/** A page, and the files that it loads. */
export function addDashboardRoutes(app: FastifyInstance, pages: Pages): void {
  app.get("/", { schema: textSchema("The dashboard.", "text/html") }, (_, reply) =>
    sendPage(reply, pages.front),
  );
  const schema = textSchema("The files that the dashboard loads.", "*/*");
  app.get<AssetRoute>("/assets/*", { schema }, (request, reply) =>
    sendAsset(request, reply, pages.asset(request.params["*"])),
  );
}

/** The OpenAPI document, and a page that shows it. */
export function addDocsRoutes(app: FastifyInstance, source: StatusSource): void {
  app.get("/docs", { schema: textSchema("This page.", "text/html") }, (_, reply) =>
    sendPage(reply, docsPage(app.swagger())),
  );
  const parts = textSchema("The files that this page loads.", "*/*");
  app.get<AssetRoute>(DOCS_ASSETS_ROUTE, { schema: parts }, (request, reply) =>
    sendAsset(request, reply, docsAsset(request.params["*"])),
  );
  const document = {
    summary: "The OpenAPI document.",
    response: { 200: done(z.looseObject({})), ...failed },
  };
  app.get("/docs/json", { schema: document }, () => {
    const made = app.swagger();
    return { ...made, info: { ...made.info, version: source.status().version } };
  });
}

function textSchema(summary: string, type: string): Record<string, unknown> {
  return { summary, response: { 200: done(z.string(), type), ...failed } };
}

function sendPage(reply: FastifyReply, { html, policy }: Page): FastifyReply {
  return reply.type("text/html; charset=utf-8").header("content-security-policy", policy).send(html);
}

async function sendAsset(
  { url, headers }: FastifyRequest<AssetRoute>,
  reply: FastifyReply,
  asset: Promise<Asset> | undefined,
): Promise<FastifyReply> {
  if (!asset) return sendProblem(reply, 404, `there is no GET ${url}`);
  const { type, body, gzipped } = await asset;
  reply.type(type).header("vary", "accept-encoding");
  if (!/\bgzip\b/.test(headers["accept-encoding"] ?? "")) return reply.send(body);
  return reply.header("content-encoding", "gzip").send(gzipped);
}
