/** A program's declarations as plain data, for man pages and completion. */

import type { Argument, Command, Option } from "commander";

export interface OptionText {
  /** `--config`. */
  readonly long: string;
  /** `-c`. */
  readonly short: string | undefined;
  /** The value as help shows it: `<file>`; undefined for an option without a value. */
  readonly value: string | undefined;
  readonly text: string;
  readonly choices: readonly string[];
  /** The default, as help shows it. */
  readonly fallback: string | undefined;
  readonly isRequired: boolean;
}

export interface ArgumentText {
  /** Without brackets: `path`. */
  readonly name: string;
  readonly text: string;
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

export interface CommandText {
  readonly name: string;
  readonly text: string;
  readonly arguments: readonly ArgumentText[];
  readonly options: readonly OptionText[];
  readonly commands: readonly CommandText[];
}

/** Describes a command and those below it. Hidden commands and options are left out, as in help. */
export function describeCommand(command: Command): CommandText {
  const help = command.createHelp();
  const own = command.commands.filter((child) => help.visibleCommands(command).includes(child));
  return {
    name: command.name(),
    text: command.description(),
    arguments: command.registeredArguments.map(describeArgument),
    options: help.visibleOptions(command).map(describeOption),
    commands: own.map(describeCommand),
  };
}

function describeArgument(argument: Argument): ArgumentText {
  return {
    name: argument.name(),
    text: argument.description,
    choices: argument.argChoices ?? [],
    isRequired: argument.required,
    isVariadic: argument.variadic,
  };
}

function describeOption(option: Option): OptionText {
  const { flags, long, short, description, argChoices, mandatory, defaultValue } = option;
  const fallback = defaultValue === undefined ? undefined : JSON.stringify(defaultValue);
  return {
    long: long ?? flags,
    short,
    value: /[<[].*$/.exec(flags)?.[0],
    text: description,
    choices: argChoices ?? [],
    fallback: option.defaultValueDescription ?? fallback,
    isRequired: mandatory,
  };
}

/** Every command that can be run, with the words that lead to it. */
export function walkCommands(
  program: CommandText,
  words: readonly string[] = [],
): { readonly words: readonly string[]; readonly command: CommandText }[] {
  return program.commands.flatMap((command) => {
    const path = [...words, command.name];
    return command.commands.length > 0 ? walkCommands(command, path) : [{ words: path, command }];
  });
}
