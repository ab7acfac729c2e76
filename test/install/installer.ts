/** A checkout for deploy/install.sh, built, with an `npm ci` that takes this checkout's packages. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export class Installer {
  readonly checkout: string;
  /** Where `npm` is; goes first on PATH. */
  readonly bin: string;
  /** What `npm` was called with last. */
  readonly npmArguments: string;
  readonly script: string;

  constructor(folder: string) {
    this.checkout = join(folder, "checkout");
    this.bin = join(folder, "bin");
    this.npmArguments = join(folder, "npm-arguments");
    this.script = join(this.checkout, "deploy/install.sh");
    for (const part of ["package.json", "package-lock.json", "LICENSE", "deploy", "packages", "tools"])
      cpSync(join(ROOT, part), join(this.checkout, part), {
        recursive: true,
        filter: (file) => !file.includes("node_modules"),
      });
    symlinkSync(join(ROOT, "node_modules"), join(this.checkout, "node_modules"));
    mkdirSync(join(this.checkout, "man"));
    for (const role of ["local", "remote"])
      writeFileSync(join(this.checkout, "man", `hawser-${role}.1`), ".TH\n");
    mkdirSync(this.bin);
    this.fake("npm", `echo "$@" > '${this.npmArguments}'; ln -s '${ROOT}/node_modules' node_modules`);
  }

  /** Puts a program of that name first on PATH. */
  fake(name: string, script: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
}
