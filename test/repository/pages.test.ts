/** What the pages name is there: links, files, commands and their options, scripts, events, alerts. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { describeCommand } from "@hawser/command-line";
import { EVENT_TYPES } from "@hawser/status-api/testing";
import { localProgram } from "../../packages/gateway-local/dist/cli.js";
import { remoteProgram } from "../../packages/gateway-remote/dist/cli.js";
import { parseOptions } from "../bench/options.ts";
import { type Page, readPages } from "./markdown.ts";
import { ROOT } from "./packages.ts";

type CommandText = ReturnType<typeof describeCommand>;

const pages = readPages();
const pageOf = new Map(pages.map((page) => [page.file, page]));
/** CHANGELOG tells of what was, too. */
const present = pages.filter(({ file }) => file !== "CHANGELOG.md");

const files = globSync(["*", "{.ci,deploy,docs,packages,test,tools}/**/*"], {
  cwd: ROOT,
  exclude: (name) => /(^|\/)(node_modules|dist)(\/|$)/.test(name),
});
/** Each file and folder by its path, and by the shorter one that pages use: a package's files without `packages` and `src`. */
const known = new Set(
  files.flatMap((file) => [file, file.replace(/^packages\//, "").replace(/(^|\/)src\//, "$1")]),
);

/** Every problem of a page, said at once. */
function forEachPage(check: (page: Page) => readonly string[]): void {
  const problems = present.flatMap((page) => check(page).map((problem) => `${page.file}: ${problem}`));
  assert.deepEqual(problems, []);
}

describe("pages", () => {
  it("are all in the list of docs/README.md, or in the README of their folder", () => {
    const listed = new Set(
      pages
        .filter(({ file }) => file.endsWith("README.md"))
        .flatMap(({ file, links }) => links.map((link) => normalize(join(dirname(file), link)))),
    );
    for (const { file } of pages.filter(({ file: each }) => each.startsWith("docs/")))
      if (file !== "docs/README.md") assert.ok(listed.has(file), `nothing leads to ${file}`);
  });

  it("link to files and headings that are there", () => {
    for (const { file, links } of pages) {
      for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? file : normalize(join(dirname(file), path));
        assert.ok(existsSync(join(ROOT, target)), `${file} links to ${link}`);
        if (anchor !== undefined)
          assert.ok(pageOf.get(target)?.anchors.has(anchor), `${file} links to ${link}: no such heading`);
      }
    }
  });

  it("name files of the repository that are there", () => {
    forEachPage(({ code }) => code.flatMap(pathsIn).filter((path) => !isThere(path)));
  });

  it("name commands and options that the programs have", () => {
    forEachPage(({ code }) => code.flatMap(commandsIn).flatMap(wrongCommand));
  });

  it("name scripts that package.json has, and options that the bench has", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    forEachPage(({ code }) =>
      code.flatMap((line) => {
        const [, name, options = ""] =
          /^(?:\$ )?npm (?:run )?(?!ci\b|run\b)([\w-]+)(?: -- (.*))?/.exec(line) ?? [];
        if (name === undefined || /^npm (install|audit|rebuild)/.test(line)) return [];
        if (!(name in scripts)) return [`${line}: no script ${name}`];
        // What it is told, without what stands in brackets and behind "#".
        const words = options.replace(/\s#.*|\[.*?\]/, "").split(" ");
        const wrong = name === "bench" ? parseOptions(words.filter((word) => word !== "")) : undefined;
        return typeof wrong === "string" ? [`${line}: ${wrong}`] : [];
      }),
    );
  });
});

describe("docs/OPERATION.md", () => {
  const text = readFileSync(join(ROOT, "docs/OPERATION.md"), "utf8");
  const firstCells = (pattern: RegExp): string[] =>
    [...text.matchAll(/^\| `([^`]+)` \|/gm)]
      .map(([, cell = ""]) => cell)
      .filter((cell) => pattern.test(cell));

  it("says what each event means", () => {
    const types = new Set<string>(EVENT_TYPES);
    assert.deepEqual(firstCells(/^[a-z]+-[a-z-]+$|^reloaded$/).sort(), [...types].sort());
  });

  it("says when each alert is raised", () => {
    const rules = readFileSync(join(ROOT, "deploy/prometheus/hawser.rules.yml"), "utf8");
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    assert.deepEqual(firstCells(/^Hawser[A-Z]/).sort(), alerts.sort());
  });
});

/** Paths of this repository: with a folder of it in front, or the name of a source file. */
function pathsIn(code: string): string[] {
  const words = code.split(/[\s"'(){},;|=]+/).map((word) => word.replace(/^\.\//, "").replace(/[:.]+$/, ""));
  return words.flatMap((word) => {
    const installed = /^\/opt\/hawser\/((?:deploy|tools)\/.*)/.exec(word)?.[1];
    if (installed) return [installed];
    const isPath = /^(\.ci|deploy|docs|packages|test|tools)\/[\w.*/@-]+$/.test(word);
    return isPath || /^[\w./@*-]*\w\.(ts|tsx|mjs)$/.test(word) ? [word] : [];
  });
}

/** NAME stands for any name, `*` for a part of one. */
function isThere(path: string): boolean {
  const wanted = path.replace(/\/$/, "");
  if (/(^|\/)dist(\/|$)/.test(wanted)) return true;
  const pattern = new RegExp(
    `(^|/)${wanted
      .replaceAll(/[.+]/g, "\\$&")
      .replaceAll("**", ".*")
      .replaceAll(/(?<!\.)\*|NAME/g, "[^/]*")}$`,
  );
  return [...known].some((file) => pattern.test(file));
}

/** `hawser-local` or `hawser-remote` where it is the command, with its words. */
function commandsIn(code: string): string[][] {
  const commands = code.split(/ && | \| |; /).map((part) => part.replace(/^\s*(?:[$#] |sudo |npx )*/, ""));
  return commands
    .filter((command) => /^hawser-(local|remote) /.test(command))
    .map((command) => command.replace(/\s#.*|\s{2,}.*/, "").split(/\s+/));
}

const programs = new Map([localProgram(), remoteProgram()].map((program) => [program.name(), program]));

function wrongCommand([name = "", ...words]: readonly string[]): string[] {
  const program = programs.get(name);
  if (!program) return [`no program ${name}`];
  let command: CommandText = describeCommand(program);
  const problems: string[] = [];
  for (const word of words) {
    const [option = ""] = word.replaceAll(/[[\]]/g, "").split("=");
    if (/^--?[a-z]/i.test(option)) {
      const isKnown = command.options.some(({ long, short }) => option === long || option === short);
      if (!isKnown && !/^(--help|-h|--version|-V)$/.test(option))
        problems.push(`${name} ${words.join(" ")}: no option ${option}`);
    } else if (command.commands.length > 0) {
      // `a|b` stands for each of both.
      const found = word.split("|").map((each) => command.commands.find((child) => child.name === each));
      const [first] = found;
      if (first === undefined || found.includes(undefined)) {
        if (/^[a-z|]+$/.test(word) && word !== "help")
          problems.push(`${name} ${words.join(" ")}: no command ${word}`);
        break;
      }
      command = first;
    }
  }
  return problems;
}
