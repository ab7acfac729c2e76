/** A program's man page in the macros of man(7), made of its declarations. */

import { type CommandText, type OptionText, walkCommands } from "./describe.ts";

export interface ManPageOptions {
  readonly version: string;
  /** Further sections, each of plain paragraphs. */
  readonly sections: readonly { readonly title: string; readonly paragraphs: readonly string[] }[];
  /** Related pages, such as `hawser-remote(1)`. */
  readonly seeAlso: readonly string[];
}

/** The text of a man page, section 1, in the macros of man(7). */
export function manPage(program: CommandText, { version, sections, seeAlso }: ManPageOptions): string {
  const { name, text, options } = program;
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "Hawser ${plain(version)}" "Hawser"`,
    ".SH NAME",
    `${escape(name)} \\- ${escape(text)}`,
    ".SH SYNOPSIS",
    `.B ${escape(name)}`,
    ".I command",
    "[options]",
    ".SH COMMANDS",
    ...walkCommands(program).flatMap(({ words, command }) => commandLines(words, command)),
    ".SH OPTIONS",
    ...options.flatMap(optionLines),
    ...sections.flatMap(({ title, paragraphs }) => [
      `.SH ${title}`,
      ...paragraphs.flatMap((paragraph, i) => [...(i > 0 ? [".PP"] : []), escape(paragraph)]),
    ]),
    ".SH SEE ALSO",
    ...seeAlso.map((page, i) => {
      const comma = i < seeAlso.length - 1 ? " ," : "";
      return page.replace(
        /^(.*)\((\d)\)$/,
        (_, title: string, section: string) => `.BR ${escape(title)} (${section})${comma}`,
      );
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(words: readonly string[], command: CommandText): string[] {
  const operands = command.arguments.map(({ name, isRequired, isVariadic }) => {
    const operand = `\\fI${escape(name)}\\fR${isVariadic ? "..." : ""}`;
    return isRequired ? operand : `[${operand}]`;
  });
  const own = command.options.filter(({ long }) => long !== "--help");
  return [
    `.SS "${[escape(words.join(" ")), ...operands].join(" ")}"`,
    sentence(command.text),
    ...command.arguments.flatMap(({ name, text, choices }) => [
      ".TP",
      `.I ${escape(name)}`,
      sentence(text, choices),
    ]),
    ...own.flatMap(optionLines),
  ];
}

function optionLines({ short, long, value, text, choices, fallback, isRequired }: OptionText): string[] {
  const names = [short, long].filter((name) => name !== undefined).map((name) => `\\fB${escape(name)}\\fR`);
  const operand = value === undefined ? "" : ` \\fI${escape(value.replaceAll(/[<>]/g, ""))}\\fR`;
  const remark = isRequired ? " (required)" : fallback === undefined ? "" : ` (default: ${fallback})`;
  return [".TP", `${names.join(", ")}${operand}`, sentence(`${text}${remark}`, choices)];
}

function sentence(text: string, choices: readonly string[] = []): string {
  const list =
    choices.length > 0 && !choices.every((choice) => text.includes(choice)) ? choices.join(", ") : "";
  const full = list === "" ? text : `${text}: ${list}`;
  return escape(`${full.charAt(0).toUpperCase()}${full.slice(1)}.`);
}

/**
 * `\-` is the ASCII hyphen, so that options can be copied from the page. A dot at the start of a line would be a macro.
 */
function escape(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/, "\\&");
}

/** For a quoted argument of a macro, which can have neither quotes nor backslashes. */
function plain(text: string): string {
  return text.replaceAll(/["\\]/g, "");
}
