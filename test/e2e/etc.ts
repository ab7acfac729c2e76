/**
 * Gives a namespace files of its own in place of those in /etc. For every program that it starts, `ip netns exec`
 * replaces files in /etc by those in /etc/netns/NAME (ip-netns(8)).
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "../lab/namespace.ts";
import { isLeftover } from "../lab/run-id.ts";

const FOLDER = "/etc/netns";

/** Holds for programs that are started from now on. The files are removed at the end of this process at the latest. */
export function giveEtc(namespace: Namespace, files: Readonly<Record<string, string>>): Disposable {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER).filter(isLeftover)) remove(name);
  const folder = join(FOLDER, namespace.name);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const dispose = (): void => remove(namespace.name);
  process.once("exit", dispose);
  return {
    [Symbol.dispose]() {
      process.off("exit", dispose);
      dispose();
    },
  };
}

function remove(name: string): void {
  rmSync(join(FOLDER, name), { recursive: true, force: true });
}
