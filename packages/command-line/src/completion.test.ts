import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import type { Command } from "commander";
import { completionScript, SHELLS } from "./completion.ts";
import { describeCommand } from "./describe.ts";
import { addCheckCommand, addCompletionCommand, createProgram } from "./program.ts";

function program(): Command {
  const made = createProgram("hawser-test", "1.2.3", "it's a test");
  addCheckCommand(made, () => {});
  made
    .command("path")
    .description("a line's role")
    .requiredOption("-c, --config <file>", "configuration file")
    .argument("<path>", "its name")
    .addArgument(made.createArgument("<role>", "what for").choices(["active", "backup"]))
    .action(() => {});
  const rules = made.command("rules").description("rules");
  rules
    .command("show")
    .description("print")
    .action(() => {});
  rules
    .command("apply")
    .description("install")
    .option("--dry-run", "only print")
    .action(() => {});
  addCompletionCommand(made, async () => ["adsl1"]);
  return made;
}

/** What bash offers for the last of these words; the program itself answers with its arguments in front of `adsl1`. */
function offered(...words: string[]): string[] {
  const script = completionScript("bash", describeCommand(program()), "/etc/hawser/test.toml");
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const asked = `
hawser-test() { echo "adsl1"; echo "asked:$*" >&3; }
COMP_WORDS=(hawser-test ${quoted}); COMP_CWORD=${words.length}
_hawser_test 3>&1
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["-e", "-c", script + asked], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

test("bash completes commands, their options, choices and the names of lines", () => {
  assert.deepEqual(offered(""), ["check", "path", "rules", "completion"]);
  assert.deepEqual(offered("pa"), ["path"]);
  assert.deepEqual(offered("rules", ""), ["show", "apply"]);
  assert.deepEqual(offered("rules", "apply", "--"), ["--dry-run", "--help"]);
  assert.deepEqual(offered("path", "--c"), ["--config"]);
  assert.deepEqual(offered("path", "adsl1", ""), ["active", "backup"]);
  assert.deepEqual(offered("path", "-c", "/x.toml", "adsl1", "b"), ["backup"]);
  assert.deepEqual(offered("path", "adsl1", "active", ""), []);
  assert.deepEqual(offered("completion", ""), [...SHELLS]);
  assert.deepEqual(offered("path", "-c", "/et").sort(), ["/etc"]);
});

test("the program is asked for the names of lines, of the configuration that was typed", () => {
  const names = (...words: string[]): string[] => offered("path", ...words).sort();
  assert.deepEqual(names(""), ["adsl1", "asked:__paths -c /etc/hawser/test.toml"]);
  assert.deepEqual(names("-c", "/x.toml", "ad"), ["adsl1", "asked:__paths -c /x.toml"]);
});

function without(shell: string): string | false {
  return spawnSync(shell, ["--version"]).status === 0 ? false : `needs ${shell}`;
}

/** What a shell prints, and that it complains of nothing. */
function said(shell: string, args: readonly string[], script: string): string[] {
  const { stdout, stderr, status } = spawnSync(shell, [...args, "-c", script], { encoding: "utf8" });
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** What zsh is given to choose from; it sorts out by itself what does not begin as the word does. */
function offeredByZsh(...words: string[]): string[] {
  const script = completionScript("zsh", describeCommand(program()), "/etc/hawser/test.toml");
  const quoted = words.map((word) => `'${word}'`).join(" ");
  return said(
    "zsh",
    ["-f"],
    `compdef() { :; }; compadd() { print -l -- "\${@:2}"; }; _files() { print files; }
hawser-test() { print -l adsl1 "asked:$*"; }
${script}
words=(hawser-test ${quoted}); CURRENT=$((1 + ${words.length}))
_hawser_test`,
  );
}

test("zsh completes the same", { skip: without("zsh") }, () => {
  assert.deepEqual(offeredByZsh(""), ["check", "path", "rules", "completion"]);
  assert.deepEqual(offeredByZsh("rules", ""), ["show", "apply"]);
  assert.deepEqual(offeredByZsh("rules", "apply", "--"), ["--dry-run", "--help", "-h"]);
  assert.deepEqual(offeredByZsh("path", "-c", "/x.toml", "adsl1", ""), ["active", "backup"]);
  assert.deepEqual(offeredByZsh("path", "-c", ""), ["files"]);
  assert.deepEqual(offeredByZsh("path", "-c", "/x.toml", ""), ["adsl1", "asked:__paths -c /x.toml"]);
  assert.deepEqual(offeredByZsh("path", "adsl1", "active", ""), []);
  const script = completionScript("zsh", describeCommand(program()), "/etc/hawser/test.toml");
  const registered = said(
    "zsh",
    ["-f"],
    `autoload -Uz compinit; compinit -D -u\n${script}\nprint -- $_comps[hawser-test]`,
  );
  assert.deepEqual(registered, ["_hawser_test"]);
});

/** What fish offers, without the descriptions. */
function offeredByFish(line: string): string[] {
  const script = completionScript("fish", describeCommand(program()), "/etc/hawser/test.toml");
  const asked = `function hawser-test; echo adsl1; echo $argv[3]; end\n${script}\ncomplete -C '${line}'`;
  return said("fish", ["--no-config"], asked)
    .map((found) => found.split("\t")[0] ?? "")
    .sort();
}

test("fish completes the same", { skip: without("fish") }, () => {
  assert.deepEqual(offeredByFish("hawser-test "), ["check", "completion", "path", "rules"]);
  assert.deepEqual(offeredByFish("hawser-test pa"), ["path"]);
  assert.deepEqual(offeredByFish("hawser-test rules "), ["apply", "show"]);
  assert.deepEqual(offeredByFish("hawser-test rules apply --"), ["--dry-run", "--help"]);
  assert.deepEqual(offeredByFish("hawser-test path "), ["/etc/hawser/test.toml", "adsl1"]);
  assert.deepEqual(offeredByFish("hawser-test path -c /x.toml "), ["/x.toml", "adsl1"]);
  assert.deepEqual(offeredByFish("hawser-test path adsl1 "), ["active", "backup"]);
  assert.deepEqual(offeredByFish("hawser-test completion "), [...SHELLS].sort());
  assert.deepEqual(offeredByFish("hawser-test path -c /et"), ["/etc/"]);
});
