/** What the schemas of the API are made with. Each schema gives the check, the documentation and the type. */

import { z } from "zod";

/** The type of what a schema describes; nobody changes it. */
export type Shape<S extends z.ZodType> = Frozen<z.output<S>>;

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export function text(description: string): z.ZodString {
  return z.string().meta({ description });
}

export function number(description: string): z.ZodNumber {
  return z.number().meta({ description });
}

export function yes(description: string): z.ZodBoolean {
  return z.boolean().meta({ description });
}

/** A number, or null where there is none. */
export function numberOrNull(description: string): z.ZodNullable<z.ZodNumber> {
  return z.number().nullable().meta({ description });
}

/** JSON Schema as the server's validator and serialiser read it. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7" });
  return rest;
}
