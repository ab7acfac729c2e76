/** From what zod says about a document to what a user can mend. Values are not quoted here: they may be secrets. */

import { z } from "zod";
import { nearest } from "./nearest.ts";

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

/** zod's names of kinds, in the words of TOML. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["object", "a table"],
  ["record", "a table"],
  ["array", "an array"],
  ["int", "a whole number"],
  ["string", "a string"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["date", "a date and time"],
]);

type Issue = z.core.$ZodIssue;

/** One problem for each wrong place, in the order in which zod found them. */
export function describeIssues(schema: z.ZodType, document: unknown, issues: readonly Issue[]): Problem[] {
  const flat = issues.flatMap(chooseUnionBranch);
  const misspelt = new Set(flat.filter(isUnknownKeys).map(({ path }) => formatPath(path)));
  return flat.flatMap((issue): Problem[] => {
    if (isUnknownKeys(issue)) return describeUnknownKeys(schema, issue);
    // A table that lacks something and has a misspelt key most likely lacks nothing else.
    if (issue.code === "custom" && misspelt.has(formatPath(issue.path))) return [];
    return [{ path: issue.path, what: describe(issue, valueAt(document, issue.path)) }];
  });
}

/** `path[0].interface`; keys that are not bare TOML keys are quoted. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else {
      const key = String(part);
      text += `${text === "" ? "" : "."}${/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)}`;
    }
  }
  return text;
}

/** Of a union, the branch whose kind of value was given: its problems are the ones meant. */
function chooseUnionBranch(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.find((branch) => !branch.some(isWrongKindAtRoot));
  if (!meant) {
    const kinds = issue.errors.flat().filter(isWrongKindAtRoot);
    const expected = kinds.map((kind) => nameKind(kind.expected)).join(" or ");
    return [{ ...kinds[0], code: "invalid_type", expected, path: issue.path, message: "" }];
  }
  return meant
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
    .flatMap(chooseUnionBranch);
}

function isWrongKindAtRoot(issue: Issue): issue is Issue & z.core.$ZodIssueInvalidType {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function isUnknownKeys(issue: Issue): issue is z.core.$ZodIssueUnrecognizedKeys {
  return issue.code === "unrecognized_keys";
}

function describeUnknownKeys(schema: z.ZodType, issue: z.core.$ZodIssueUnrecognizedKeys): Problem[] {
  const known = knownKeys(schema, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const mend = meant === undefined ? `known are ${known.join(", ")}` : `did you mean "${meant}"?`;
    return { path: [...issue.path, key], what: `unknown key; ${mend}` };
  });
}

/** The keys of the table that the schema has at this path. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return knownKeys(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodPipe) return knownKeys(schema.in, path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => knownKeys(option, path));
  const [first, ...rest] = path;
  if (schema instanceof z.ZodArray) return first === undefined ? [] : knownKeys(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(schema.shape);
  const inner: z.core.$ZodType | undefined = schema.shape[String(first)];
  return inner === undefined ? [] : knownKeys(inner, rest);
}

function describe(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return `is required (${nameKind(issue.expected)})`;
      return `expected ${nameKind(issue.expected)}, found ${kindOf(value)}${mendKind(issue, value)}`;
    case "too_small":
      if (issue.origin === "array") return `needs at least ${String(issue.minimum)}`;
      return issue.origin === "string" ? "is empty" : `must be at least ${String(issue.minimum)}`;
    case "too_big":
      return `must be at most ${String(issue.maximum)}${issue.origin === "string" ? " characters long" : ""}`;
    case "invalid_value":
      return describeChoice(issue.values.map(String), value);
    default:
      return issue.message;
  }
}

/** The commonest slips of kind, with what to write. */
function mendKind({ expected, path }: z.core.$ZodIssueInvalidType, value: unknown): string {
  const key = formatPath(path);
  if (expected === "array" && typeof value === "string") return `; write it in brackets: ${key} = ["..."]`;
  if (expected === "array" && typeof value === "object")
    return `; write its header with two brackets: [[${key}]]`;
  return "";
}

function describeChoice(choices: readonly string[], value: unknown): string {
  const list = choices.map((choice) => JSON.stringify(choice)).join(", ");
  if (typeof value !== "string") return `expected one of ${list}`;
  const meant = nearest(value, choices);
  return `expected one of ${list}${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
}

function nameKind(expected: string): string {
  return KINDS.get(expected) ?? expected;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  return typeof value === "object" ? "a table" : `a ${typeof value}`;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
