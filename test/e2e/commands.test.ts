/** Help, man page and completion of both programs agree, and the man pages have no errors. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { test } from "node:test";
import { describeCommand, manPage } from "@hawser/command-line";
import { type CommandText, completionScript, SHELLS, walkCommands } from "@hawser/command-line/testing";
import { localProgram } from "@hawser/gateway-local/testing";
import { remoteProgram } from "@hawser/gateway-remote/testing";
import { programFile } from "./support.ts";

const PAGE = { version: "1.2.3", sections: [{ title: "FILES", paragraphs: ["a-b"] }], seeAlso: ["man(1)"] };

for (const program of [localProgram(), remoteProgram()]) {
  const text = describeCommand(program);
  const page = manPage(text, PAGE).replaceAll("\\-", "-");

  test(`${text.name}: every command and option of the help is in the man page and in each completion`, () => {
    const scripts = SHELLS.map((shell) => completionScript(shell, text, "/etc/x.toml"));
    for (const { words, command } of walkCommands(text)) {
      const help = helpOf(words);
      const section = sectionOf(page, words.join(" "));
      for (const { long } of command.options) {
        assert.ok(help.includes(long), `${words.join(" ")} ${long}: help`);
        if (long !== "--help") assert.ok(section.includes(long), `${words.join(" ")} ${long}: man page`);
        for (const script of scripts) assert.ok(script.includes(long.slice(2)), `${long}: completion`);
      }
      // The default as a user writes it.
      for (const { fallback } of command.options.filter((option) => option.fallback !== undefined)) {
        assert.match(fallback ?? "", /^(\d{1,3}[smhd]?|\/etc\/hawser\/[a-z]+\.toml)$/);
        const remark = new RegExp(`\\(default:\\s+${fallback}\\)`);
        for (const said of [help, section]) assert.match(said, remark);
      }
      for (const { name } of command.arguments)
        assert.ok(section.includes(name), `${words.join(" ")} ${name}`);
      for (const script of scripts) for (const word of words) assert.ok(script.includes(word), word);
    }
    const listed = [...program.helpInformation().matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name);
    assert.deepEqual(
      text.commands.map(({ name }) => name).sort(),
      listed.filter((name) => name !== "help").sort(),
    );
  });

  const hasMan = spawnSync("man", ["--version"]).status === 0;
  test(`${text.name}: man prints no warning about its page`, { skip: !hasMan && "needs man" }, () => {
    const { stdout, stderr, status } = spawnSync("man", ["--warnings=w", "-l", "-"], {
      input: manPage(text, PAGE),
      encoding: "utf8",
      env: { ...process.env, MANWIDTH: "80", LC_ALL: "C.UTF-8", MANPAGER: "cat" },
    });
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`${text.name} . ${text.text.slice(0, 20)}`));
  });

  function helpOf(words: readonly string[]): string {
    let command = program;
    for (const word of words) command = command.commands.find((child) => child.name() === word) ?? command;
    return command.helpInformation();
  }
}

for (const words of [["completion", "bash"], ["--help"], ["rules", "show", "--help"], ["--version"]]) {
  const skip = !existsSync("/dev/full") && "needs /dev/full";
  test(`lost output is a failure: ${words.join(" ")}`, { skip }, () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [programFile("hawser-local"), ...words], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    closeSync(full);
    assert.deepEqual(
      [status, stderr],
      [1, "the output could not be written: ENOSPC: no space left on device, write\n"],
    );
  });
}

test("a group of commands that is used without a command names its commands", () => {
  const args = [programFile("hawser-local"), "rules", "-c", "x.toml"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /\(type one of: hawser-local rules show\|apply\|clear; hawser-local rules --help/);
});

/** The lines of one command in a man page. */
function sectionOf(page: string, words: string): string {
  const sections = page.split(/^\.S[SH] /m);
  return sections.find((section) => section.startsWith(`"${words}`)) ?? "";
}

test("help, man page and completion do not show hidden commands", () => {
  const names = (command: CommandText): string[] => [command.name, ...command.commands.flatMap(names)];
  assert.ok(!names(describeCommand(localProgram())).includes("__paths"));
});
