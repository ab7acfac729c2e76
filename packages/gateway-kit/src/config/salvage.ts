/** What can be read of a TOML file that has errors: for commands that must work all the same. */

import { parse, type TomlTable } from "smol-toml";
import { readTextFile } from "./secret-file.ts";

/** The values that are whole. Tables and lines with an error are left out; so is everything of a file that cannot be read. */
export function salvageConfig(file: string): TomlTable {
  try {
    return salvageToml(readTextFile(file).text);
  } catch {
    return {};
  }
}

/** As `salvageConfig`, of a text. Of a key that stands in several places the first counts. */
export function salvageToml(text: string): TomlTable {
  const whole = parsed(text);
  if (whole) return whole;
  const found: TomlTable = {};
  // Each table by itself, from its header on: an error in one does not end the others.
  for (const section of text.split(/^(?=[ \t]*\[)/m)) merge(found, parsed(section) ?? salvageLines(section));
  return found;
}

/** The lines of a table that are right each by itself, under the table's header. */
function salvageLines(section: string): TomlTable {
  const lines = section.split("\n");
  const header = /^[ \t]*\[/.test(lines[0] ?? "") ? (lines.shift() as string) : "";
  const right = lines.filter((line) => parsed(line) !== undefined);
  return parsed([header, ...right].join("\n")) ?? {};
}

function merge(into: TomlTable, from: TomlTable): void {
  for (const [key, value] of Object.entries(from)) into[key] ??= value;
}

function parsed(text: string): TomlTable | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
