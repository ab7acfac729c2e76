import { parse, stringify, TomlError, type TomlTable } from "smol-toml";
import type { z } from "zod";
import { ConfigError, ErrorCode, type Finding } from "./errors.ts";
import { describeIssues, formatPath } from "./findings.ts";
import { readTextFile, whyChangeable, whyExposed } from "./secret-file.ts";
import { explainSyntax, lineOf } from "./toml-text.ts";

export interface LoadOptions<T> {
  /** The key that holds a secret in this configuration, if one does: the file must then be its owner's alone. */
  readonly secretAt?: (config: T) => string | undefined;
  /** The mend of a missing file. */
  readonly whenMissing?: string;
}

/**
 * Reads a TOML file. What comes back is frozen, down to the last table.
 * @throws ConfigError CONFIG_UNREADABLE, CONFIG_SYNTAX, CONFIG_INVALID (with every finding) or SECRET_EXPOSED.
 */
export function loadConfig<S extends z.ZodType>(
  file: string,
  schema: S,
  options: LoadOptions<z.output<S>> = {},
): z.output<S> {
  const read = readTextFile(file, options.whenMissing);
  const config = parseConfig(read.text, file, schema);
  const key = options.secretAt?.(config);
  const exposed = key === undefined ? whyChangeable(file, read) : whyExposed(file, read);
  if (exposed !== undefined) {
    throw new ConfigError(ErrorCode.secretExposed, [{ file, key: key ?? "", what: exposed }]);
  }
  return config;
}

/** As `loadConfig`, from a text; `file` is what findings call it. @throws ConfigError CONFIG_SYNTAX or CONFIG_INVALID. */
export function parseConfig<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const document = parseToml(text, file);
  const result = schema.safeParse(document);
  if (result.success) return deepFreeze(result.data);
  const problems = describeIssues(schema, document, result.error.issues);
  const findings = problems.map(({ path, what }): Finding => {
    const line = lineOf(text, path);
    return { file, key: formatPath(path), what: line === undefined ? what : `${what} (line ${line})` };
  });
  throw new ConfigError(ErrorCode.configInvalid, findings);
}

/** The tables and values of a TOML text, as they are written. @throws ConfigError CONFIG_SYNTAX */
export function parseToml(text: string, file: string): TomlTable {
  try {
    return parse(text, { unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: the others quote the file, which may hold secrets.
    const said = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    const what = explainSyntax(said, text, error.line);
    const key = `line ${error.line}, column ${error.column}`;
    throw new ConfigError(ErrorCode.configSyntax, [{ file, key, what }]);
  }
}

/** TOML that says what `table` does. Comments of a text that it comes from are not in it. */
export function formatToml(table: object): string {
  return stringify(table);
}

/** Freezes plain tables and arrays; what else there is (secrets, maps) guards itself. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
