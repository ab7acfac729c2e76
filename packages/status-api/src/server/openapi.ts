/** The OpenAPI document of the routes, made by @fastify/swagger of the schemas that they check and answer by. */

import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { API_VERSION } from "../schemas/about.ts";

const ABOUT = `Every path below /api is below /api/v${API_VERSION}, too, which stays when a later version takes /api.`;

/** How the document names the rest of a path, which Fastify writes as `*`. */
const REST = "file";

/** Documents the routes that are added from now on. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "Hawser", version: `v${API_VERSION}`, description: ABOUT } },
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({
      schema: { ...schema, tags: [url.startsWith("/api") ? "API" : "Pages and monitoring"] },
      url: url.replace("*", `:${REST}`),
    }),
    transformObject(made) {
      if ("swaggerObject" in made) return made.swaggerObject;
      for (const operations of Object.values(made.openapiObject.paths ?? {}))
        Object.values(operations as Record<string, Operation>).forEach(makeNullableBodyOptional);
      return made.openapiObject;
    },
  });
}

/** What is looked at of an operation. */
interface Operation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: { readonly anyOf?: { type?: string }[] } }>>;
  };
}

/** Fastify takes no body for null. */
function makeNullableBodyOptional({ requestBody }: Operation): void {
  const alternatives = requestBody?.content["application/json"]?.schema.anyOf ?? [];
  if (requestBody && alternatives.some(({ type }) => type === "null")) requestBody.required = false;
}

/** The methods that a path takes, `/api/flows/7`; none when no route leads there. */
export function methodsOf(app: FastifyInstance, path: string): string[] {
  const item = Object.entries(app.swagger().paths ?? {}).find(([template]) =>
    patternOf(template).test(path),
  )?.[1];
  const methods = Object.keys(item ?? {}).map((method) => method.toUpperCase());
  // Fastify answers HEAD wherever there is a GET.
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

/** Of a path as OpenAPI writes it: `/api/flows/{id}`. */
function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{(\w+)\}/g, (_, name) => (name === REST ? ".*" : "[^/]*"))}$`);
}
