/** The packages' READMEs: their examples are programs that compile, and print what stands below them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Package, packages, ROOT } from "./packages.ts";
import { PackedPackages } from "./packed.ts";

const run = promisify(execFile);

/** One screen; those that know nothing of the project, and may be used without it, have two. */
const MOST_LINES = { ours: 64, anyones: 100 };

interface Example {
  readonly of: Package;
  /** All blocks of TypeScript, as one program. */
  readonly program: string;
  /** As far as something is printed. */
  readonly runs: string;
  readonly script: string;
  readonly printed: string;
}

const readme = ({ folder }: Package): string =>
  readFileSync(join(ROOT, "packages", folder, "README.md"), "utf8");

/** A block of code, and the block of text that follows it, if there is one: what it prints. */
const BLOCK = /^```(ts|sh)\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;

function exampleOf(each: Package): Example {
  const example = { of: each, program: "", runs: "", script: "", printed: "" };
  for (const [, language, code = "", printed] of readme(each).matchAll(BLOCK)) {
    if (language === "sh") example.script += code;
    else example.program += code;
    if (printed === undefined) continue;
    example.printed += printed;
    example.runs = example.program;
  }
  return example;
}

/** The package's programs, by their names. */
function installPrograms(packed: PackedPackages, each: Package): string {
  const folder = join(packed.roomOf(each), "bin");
  mkdirSync(folder);
  for (const [name, file] of Object.entries(each.manifest.bin ?? {})) {
    const module = join(packed.placeOf(each), `${file}.mjs`);
    writeFileSync(join(folder, name), `#!/bin/sh\nexec "${process.execPath}" "${module}" "$@"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe("READMEs", () => {
  const packed = new PackedPackages();
  after(() => packed[Symbol.dispose]());
  const examples = packages.map(exampleOf);

  it("each fits a screen, and has an example", () => {
    for (const { of, program, script } of examples) {
      const lines = readme(of).split("\n").length - 1;
      const most = of.manifest.name.startsWith("@hawser/") ? MOST_LINES.ours : MOST_LINES.anyones;
      assert.ok(lines <= most, `${of.folder}: ${lines} lines`);
      assert.notEqual(program + script, "", of.folder);
    }
  });

  it("the examples compile", async () => {
    const files = examples
      .filter(({ program }) => program !== "")
      .map(({ of, program }) => {
        const file = join(packed.roomOf(of), "compiled.ts");
        writeFileSync(file, program);
        return relative(packed.folder, file);
      });
    const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.base.json"), "utf8")) as {
      compilerOptions: object;
    };
    const options = {
      ...compilerOptions,
      noEmit: true,
      rewriteRelativeImportExtensions: false,
      typeRoots: [join(ROOT, "node_modules/@types")],
      moduleDetection: "force",
    };
    writeFileSync(join(packed.folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(packed.folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files }));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const args = [compiler, "-p", packed.folder, "--pretty", "false"];
    await run(process.execPath, args).catch(({ stdout }: { stdout: string }) => assert.fail(stdout));
  });

  for (const { of, runs, script, printed } of examples.filter((each) => each.runs + each.script !== "")) {
    it(`${of.folder} prints what its README says`, async () => {
      const room = packed.roomOf(of);
      writeFileSync(join(room, "package.json"), '{ "type": "module" }');
      writeFileSync(join(room, "example.ts"), runs);
      const path = `${installPrograms(packed, of)}:${process.env["PATH"]}`;
      const [command, ...args] =
        script === "" ? [process.execPath, "example.ts"] : ["/bin/sh", "-ec", script];
      const { stdout, stderr } = await run(command as string, args, { cwd: room, env: { PATH: path } });
      assert.equal(stdout.trimEnd(), printed.trimEnd());
      assert.equal(stderr, "");
    });
  }
});
