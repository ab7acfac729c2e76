import type { FastifyInstance } from "fastify";
import { API_VERSION } from "../schemas.ts";
import type { DocumentedRoute } from "./docs-page.ts";

const ABOUT = `Every path below /api is below /api/v${API_VERSION}, too, which stays when a later version takes /api.`;

/** Of texts that are no pages. */
const TEXT_TYPES: ReadonlyMap<string, string> = new Map([
  ["/metrics", "text/plain"],
  // Scripts, styles and a picture.
  ["/assets/*", "*/*"],
]);

interface RouteSchema {
  readonly summary?: string;
  readonly params?: unknown;
  readonly querystring?: unknown;
  readonly body?: unknown;
  readonly response?: Readonly<Record<string, unknown>>;
}

export interface RouteRecord {
  readonly method: string;
  /** As Fastify writes it: `/api/paths/:name`. */
  readonly url: string;
  readonly schema: RouteSchema;
}

/** Collects the routes that are registered from now on: the documentation is made of what is served. */
export function recordRoutes(app: FastifyInstance): readonly RouteRecord[] {
  const routes: RouteRecord[] = [];
  app.addHook("onRoute", ({ method, url, schema }) => {
    if (typeof method === "string" && method !== "HEAD")
      routes.push({ method, url, schema: (schema ?? {}) as RouteSchema });
  });
  return routes;
}

export function documentRoutes(routes: readonly RouteRecord[]): DocumentedRoute[] {
  return routes.map(({ method, url, schema }) => ({
    method,
    path: openApiPath(url),
    summary: schema.summary ?? "",
    takes: [
      ...fieldsOf(schema.params, "in the path: "),
      ...fieldsOf(schema.querystring, "?"),
      ...fieldsOf(schema.body, "body: "),
    ],
    statuses: Object.keys(schema.response ?? {}).map((status) => status.toUpperCase()),
  }));
}

interface FieldSchema {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly ObjectSchema[];
}

/** The fields of an object, for people: `body: seconds (integer, 1 to 300, required): how long the path is out`. */
function fieldsOf(schema: unknown, prefix: string): string[] {
  const { properties = {}, required = [], anyOf = [] } = (schema ?? {}) as ObjectSchema;
  const own = Object.entries(properties).map(([name, field]) => {
    const { type, enum: values, minimum, maximum, description } = field;
    const kind = values ? values.join(" | ") : typeof type === "string" ? type : "";
    const range = minimum === undefined || maximum === undefined ? "" : `${minimum} to ${maximum}`;
    const terms = [kind, range, required.includes(name) ? "required" : ""].filter((term) => term !== "");
    return `${prefix}${name} (${terms.join(", ")})${description === undefined ? "" : `: ${description}`}`;
  });
  return [...own, ...anyOf.flatMap((each) => fieldsOf(each, prefix))];
}

/** OpenAPI 3.1, whose schemas are JSON Schema as it is. */
export function openApiDocument(routes: readonly RouteRecord[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, url, schema } of routes) {
    const path = openApiPath(url);
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = {
      summary: schema.summary,
      parameters: [...pathParameters(url), ...queryParameters(schema.querystring)],
      ...(schema.body === undefined
        ? {}
        : { requestBody: { required: !isNullable(schema.body), content: json(schema.body) } }),
      responses: Object.fromEntries(
        Object.entries(schema.response ?? {}).map(([status, body]) => [
          // OpenAPI spells classes of status codes in capitals.
          status.toUpperCase(),
          describeResponse(status, url, body),
        ]),
      ),
    };
  }
  return { openapi: "3.1.0", info: { title: "Hawser", version, description: ABOUT }, paths };
}

/** Whether there may be no body, which Fastify takes for null. */
function isNullable(schema: unknown): boolean {
  const { anyOf = [] } = schema as { readonly anyOf?: readonly { readonly type?: string }[] };
  return anyOf.some(({ type }) => type === "null");
}

function pathParameters(url: string): Record<string, unknown>[] {
  const names = [...openApiPath(url).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters(schema: unknown): Record<string, unknown>[] {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, { description?: string }> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: "query",
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

function describeResponse(status: string, url: string, body: unknown): Record<string, unknown> {
  if (status === "default" || status.startsWith("4") || status.startsWith("5")) {
    const type = url === "/healthz" ? "application/json" : "application/problem+json";
    return { description: "refused or failed", content: json(body, type) };
  }
  if (isContent(body)) return { description: "done", content: body.content };
  if (status === "204") return { description: "done" };
  const isText = typeof body === "object" && body !== null && "type" in body && body.type === "string";
  const type = TEXT_TYPES.get(url) ?? (isText ? "text/html" : "application/json");
  return { description: "done", content: json(body, type) };
}

/** A body in one of several forms, as Fastify and OpenAPI both write it. */
function isContent(body: unknown): body is { readonly content: unknown } {
  return typeof body === "object" && body !== null && "content" in body;
}

function json(schema: unknown, type = "application/json"): Record<string, unknown> {
  return { [type]: { schema } };
}

function openApiPath(url: string): string {
  return url.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{file}");
}
