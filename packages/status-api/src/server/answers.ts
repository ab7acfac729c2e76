/** What routes answer: status codes, media types and schemas, as Fastify and OpenAPI both write them. */

import { JsonSchema } from "../schemas.ts";

/** JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** The body of what was done. */
export function done(schema: Schema, type = "application/json"): Schema {
  return { description: "done", content: { [type]: { schema } } };
}

/** The same, or a stream of server-sent events: the Accept header chooses. */
export function doneOrStream(schema: Schema): Schema {
  const content = { "application/json": { schema }, "text/event-stream": { schema: TEXT } };
  return { description: "done", content };
}

/** No body. */
export const NOTHING: Schema = { type: "null", description: "done" };
/** A body that no schema describes further. */
export const TEXT: Schema = { type: "string" };

const problem = {
  description: "refused or failed",
  content: { "application/problem+json": { schema: JsonSchema.problem } },
};
/** How each route says what it cannot do (RFC 9457). */
export const failed = { "4xx": problem, "5xx": problem };
