/** Completion scripts for shells, made of a program's declarations. */

import { type CommandText, type OptionText, walkCommands } from "./describe.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * An argument of this name is the name of a line. The completion script asks the program for the names of all lines, by
 * the hidden command PATHS_COMMAND.
 */
export const PATH_ARGUMENT = "path";
export const PATHS_COMMAND = "__paths";

/** The script for one shell. `file` is the configuration that is asked for lines when the user has typed no other. */
export function completionScript(shell: Shell, program: CommandText, file: string): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program, file);
}

/** What a value is completed with: `files`, `paths`, `words` and the words, or `none`. */
function kindOfValue(value: string | undefined, choices: readonly string[]): string {
  if (choices.length > 0) return `words ${choices.join(" ")}`;
  const name = value?.replaceAll(/[<>[\].]/g, "") ?? "";
  if (name === "file") return "files";
  return name === PATH_ARGUMENT ? "paths" : "none";
}

/**
 * Shell functions that look up the declarations, for bash and zsh alike. Their argument is the words of a command joined
 * by `/`, their answer is in the variable `reply`.
 */
function tables(program: CommandText): string[] {
  const all = allCommands(program);
  const each = (build: (command: CommandText) => string): string[] =>
    all.map(({ words, command }) => `    '/${words.join("/")}') reply='${build(command)}' ;;`);
  const names = (options: readonly OptionText[]): string[] =>
    options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
  const values = all.flatMap(({ words, command }) =>
    command.options
      .filter(({ value }) => value !== undefined)
      .map((option) => {
        const patterns = names([option]).map((name) => `'/${words.join("/")} ${name}'`);
        return `    ${patterns.join(" | ")}) reply='${kindOfValue(option.value, option.choices)}' ;;`;
      }),
  );
  const operands = all.flatMap(({ words, command }) =>
    command.arguments.map(
      (argument, i) =>
        `    '/${words.join("/")} ${i}') reply='${kindOfValue(argument.name, argument.choices)}' ;;`,
    ),
  );
  const table = (name: string, cases: string[]): string[] => [
    `${functionName(program)}_${name}() {`,
    "  reply=",
    `  case "$1" in`,
    ...cases,
    "  esac",
    "}",
  ];
  return [
    ...table(
      "commands",
      each(({ commands }) => commands.map(({ name }) => name).join(" ")),
    ),
    ...table(
      "options",
      each(({ options }) => names(options).join(" ")),
    ),
    ...table("value", values),
    ...table("operand", operands),
  ];
}

/** The program itself, its groups of commands (`rules`), and the commands that can be run. */
function allCommands(program: CommandText): ReturnType<typeof walkCommands> {
  const groups = program.commands.filter(({ commands }) => commands.length > 0);
  return [
    { words: [], command: program },
    ...groups.map((command) => ({ words: [command.name], command })),
    ...walkCommands(program),
  ];
}

/**
 * A shell function that finds out what a word is completed with. `$1` is that word, and the words before it follow. The
 * answer is in `kind`, as kindOfValue gives it.
 */
function walker(program: CommandText, file: string): string[] {
  const f = functionName(program);
  return [
    `${f}_find() {`,
    "  local current=$1 at=/ operands=0 expects= word reply=",
    `  config=${file}`,
    "  shift",
    `  for word in "$@"; do`,
    `    if [ -n "$expects" ]; then`,
    `      case "$expects" in -c | --config) config=$word ;; esac`,
    "      expects=",
    "      continue",
    "    fi",
    `    case "$word" in`,
    "      -*)",
    `        ${f}_value "$at $word"`,
    `        [ -z "$reply" ] || expects=$word`,
    "        ;;",
    "      *)",
    `        ${f}_commands "$at"`,
    `        case " $reply " in`,
    `          *" $word "*) at=\${at%/}/$word ;;`,
    "          *) operands=$((operands + 1)) ;;",
    "        esac",
    "        ;;",
    "    esac",
    "  done",
    `  if [ -n "$expects" ]; then`,
    `    ${f}_value "$at $expects"`,
    `    kind=$reply`,
    `    return`,
    "  fi",
    `  case "$current" in`,
    `    -*) ${f}_options "$at" ; kind="words $reply" ; return ;;`,
    "  esac",
    `  ${f}_commands "$at"`,
    `  if [ -n "$reply" ]; then`,
    `    kind="words $reply"`,
    "  else",
    `    ${f}_operand "$at $operands"`,
    `    kind=\${reply:-none}`,
    "  fi",
    "}",
  ];
}

function bashScript(program: CommandText, file: string): string {
  const f = functionName(program);
  return script([
    `# Completion of ${program.name} for bash: source it, or put it into /usr/share/bash-completion/completions.`,
    ...tables(program),
    ...walker(program, file),
    `${f}() {`,
    `  local current=\${COMP_WORDS[COMP_CWORD]} kind config`,
    `  ${f}_find "$current" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"`,
    `  case "$kind" in`,
    `    files) mapfile -t COMPREPLY < <(compgen -f -- "$current") ; compopt -o filenames 2> /dev/null || : ;;`,
    `    paths) mapfile -t COMPREPLY < <(compgen -W "$("\${COMP_WORDS[0]}" ${PATHS_COMMAND} -c "$config" 2> /dev/null)" -- "$current") ;;`,
    `    words*) mapfile -t COMPREPLY < <(compgen -W "\${kind#words}" -- "$current") ;;`,
    `    *) COMPREPLY=() ;;`,
    "  esac",
    "}",
    `complete -F ${f} ${program.name}`,
  ]);
}

function zshScript(program: CommandText, file: string): string {
  const f = functionName(program);
  return script([
    `#compdef ${program.name}`,
    `# Completion of ${program.name} for zsh: put it into a folder of $fpath as _${program.name}, or source it.`,
    ...tables(program),
    ...walker(program, file),
    `${f}() {`,
    `  local kind config`,
    `  ${f}_find "\${words[CURRENT]}" "\${(@)words[2,CURRENT-1]}"`,
    `  case "$kind" in`,
    `    files) _files ;;`,
    `    paths) compadd -- \${(f)"$("\${words[1]}" ${PATHS_COMMAND} -c "$config" 2> /dev/null)"} ;;`,
    `    words*) compadd -- \${=kind#words} ;;`,
    "  esac",
    "}",
    `if [ "\${funcstack[1]-}" = _${program.name} ]; then ${f} "$@"; else compdef ${f} ${program.name}; fi`,
  ]);
}

function fishScript(program: CommandText, file: string): string {
  const { name } = program;
  const all = allCommands(program);
  const f = functionName(program);
  const paths = `(${name} ${PATHS_COMMAND} -c (${f}_config) 2> /dev/null)`;
  const lines = [
    `# Completion of ${name} for fish: put it into ~/.config/fish/completions as ${name}.fish.`,
    ...fishFunctions(program, file),
    `complete -c ${name} -f`,
  ];
  for (const { words, command } of all) {
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const below = command.commands.map((child) => child.name);
    const none = below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(" ")}`] : [];
    const when = [...seen, ...none].join("; and ");
    const start = `complete -c ${name}${when === "" ? "" : ` -n '${when}'`}`;
    for (const child of command.commands) lines.push(`${start} -a ${child.name} -d ${quote(child.text)}`);
    for (const option of command.options) {
      const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
      lines.push(
        `${start}${short} -l ${option.long.slice(2)}${fishValue(option, paths)} -d ${quote(option.text)}`,
      );
    }
    for (const [i, { name: operand, choices, isVariadic }] of command.arguments.entries()) {
      const isNext = `test (${f}_words) ${isVariadic ? "-ge" : "-eq"} ${words.length + i}`;
      const operandStart = `complete -c ${name} -n '${[...seen, isNext].join("; and ")}'`;
      const kind = kindOfValue(operand, choices);
      if (kind === "paths") lines.push(`${operandStart} -a '${paths}'`);
      if (kind.startsWith("words")) lines.push(`${operandStart} -a '${choices.join(" ")}'`);
    }
  }
  return script(lines);
}

/**
 * Functions of fish: how many commands and operands stand before the word to be completed; which configuration was
 * typed.
 */
function fishFunctions(program: CommandText, file: string): string[] {
  const f = functionName(program);
  const options = allCommands(program).flatMap(({ command }) =>
    command.options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ long, short = [] }) => [long, short].flat()),
  );
  return [
    `function ${f}_words`,
    "  set -l count 0",
    "  set -l before",
    "  for word in (commandline -opc)[2..]",
    `    if not contains -- "$before" ${[...new Set(options)].join(" ")}; and not string match -q -- '-*' $word`,
    "      set count (math $count + 1)",
    "    end",
    "    set before $word",
    "  end",
    "  echo $count",
    "end",
    `function ${f}_config`,
    `  set -l config ${file}`,
    "  set -l before",
    "  for word in (commandline -opc)",
    `    contains -- "$before" -c --config; and set config $word`,
    "    set before $word",
    "  end",
    "  echo $config",
    "end",
  ];
}

function fishValue({ value, choices }: OptionText, paths: string): string {
  if (value === undefined) return "";
  const kind = kindOfValue(value, choices);
  if (kind === "files") return " -r -F";
  if (kind === "paths") return ` -x -a '${paths}'`;
  return choices.length > 0 ? ` -x -a '${choices.join(" ")}'` : " -x";
}

function functionName({ name }: CommandText): string {
  return `_${name.replaceAll("-", "_")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function script(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
