/** Node's private names and undocumented options stand in one file, with their tests. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./packages.ts";

/** Where they may stand: the functions, what tests need of them, and what holds Node to it. */
const HOME = /^packages\/linux-sockets\/src\/(node-internals(\.test)?|testing)\.ts$/;

/** By what they are: how they look in code that has no comments. */
const PRIVATE: Readonly<Record<string, RegExp>> = {
  "a member that begins with an underscore": /[\w)\]?]\._[a-z]/,
  "such a member by its text, or an event": /([\w)\]]\[|\.(on|once|off|emit)\()["'`]_[a-z]/,
  "a member of sockets and streams, in a type or a pattern":
    /\b_(handle|parent|parentWrap|writev|tlsError|readableState|writableState|events|httpMessage|server|pendingData)\b/,
  "an option that is not documented": /\b(manualStart|pauseOnCreate|singleUse)\b/,
  "TLSSocket's constructor, which has undocumented options": /\bnew (tls\.)?TLSSocket\(/,
  "a way into Node's own modules": /\b(internalBinding|getAsyncId)\b|\bprocess\.binding\b|--expose-internals/,
};

/** What Node documents for those who write streams, in spite of the underscore. */
const DOCUMENTED = /\boverride (async )?_(read|write|writev|final|destroy|construct|transform|flush)\b/g;

const files = globSync(["packages/*/src/**/*.{ts,tsx}", "test/**/*.ts", "tools/**/*.mjs"], {
  cwd: ROOT,
}).filter((file) => !file.includes("node_modules") && file !== "test/repository/node-internals.test.ts");

/** The private names of a file's code, each with its line. */
function privateNames(code: string): string[] {
  const bare = code
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/(^|\s)\/\/.*/g, "")
    .replaceAll(DOCUMENTED, "");
  return bare.split("\n").flatMap((line, i) =>
    Object.entries(PRIVATE)
      .filter(([, pattern]) => pattern.test(line))
      .map(([what]) => `line ${i + 1}: ${what}: ${line.trim()}`),
  );
}

describe("Node's private names", () => {
  it("stand in node-internals.ts of linux-sockets alone", () => {
    assert.ok(files.length > 300);
    for (const file of files.filter((each) => !HOME.test(each)))
      assert.deepEqual(privateNames(readFileSync(join(ROOT, file), "utf8")), [], file);
  });

  it("are found, however they are written", () => {
    for (const code of [
      "const fd = socket._handle?.fd;",
      "const { _handle } = socket;",
      "const fd = (socket as { _handle?: { fd: number } })._handle;",
      'const handle = socket["_handle"];',
      'secure.on("_tlsError", fail);',
      "socket._writev = null;",
      "if (socket?._writableState) return;",
      "new Socket({ fd, manualStart: true });",
      "new TLSSocket(raw, { pskCallback });",
      "process.binding('natives');",
    ])
      assert.notDeepEqual(privateNames(code), [], code);
  });

  it("are not seen where there are none", () => {
    for (const code of [
      "// socket._handle is private",
      "/** `_writev` of streams */",
      "  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {",
      'assert.deepEqual(registered, ["_hawser_test"]);',
      "const use = (_socket: Socket, _name: string) => 1;",
      "this.#handle.close();",
    ])
      assert.deepEqual(privateNames(code), [], code);
  });

  it("have a test each", () => {
    const code = readFileSync(join(ROOT, "packages/linux-sockets/src/node-internals.ts"), "utf8");
    const tests = readFileSync(join(ROOT, "packages/linux-sockets/src/node-internals.test.ts"), "utf8");
    const titles = [...tests.matchAll(/^test\(\s*"([^:"]+):/gm)].map(([, title]) => title);
    for (const [, comment, name] of code.matchAll(
      /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport function (\w+)/g,
    )) {
      assert.ok(titles.includes(name), `${name} has no test that begins with its name`);
      if (!comment?.includes("- Name:")) continue;
      for (const part of ["Seen", "Instead", "Without it"])
        assert.ok(comment.includes(`- ${part}:`), `${name} does not say "${part}"`);
    }
  });
});
