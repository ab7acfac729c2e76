import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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
  addCompletionCommand(made, "/etc/hawser/test.toml", () => ["adsl1"]);
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
