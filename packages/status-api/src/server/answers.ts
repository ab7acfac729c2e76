/** What routes answer: status codes, media types and schemas, as Fastify and OpenAPI both write them. */

import { z } from "zod";
import { problem } from "../schemas/about.ts";
import { jsonSchema } from "../schemas/shape.ts";

type Answer = Readonly<Record<string, unknown>>;

/** The body of what was done. */
export function done(schema: z.ZodType, type = "application/json"): Answer {
  return { description: "done", content: { [type]: { schema: jsonSchema(schema) } } };
}

/** The same, or a stream of server-sent events: the Accept header chooses. */
export function doneOrStream(schema: z.ZodType): Answer {
  const content = {
    "application/json": { schema: jsonSchema(schema) },
    "text/event-stream": { schema: jsonSchema(z.string()) },
  };
  return { description: "done", content };
}

/** No body. */
export const NOTHING: Answer = { type: "null", description: "done" };

const refusal: Answer = {
  description: "refused or failed",
  content: { "application/problem+json": { schema: jsonSchema(problem) } },
};
/** How each route says what it cannot do (RFC 9457). */
export const failed = { "4xx": refusal, "5xx": refusal };
