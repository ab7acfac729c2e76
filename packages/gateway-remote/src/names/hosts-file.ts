import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { ChangingFile } from "./changing-file.ts";

/** hosts(5): the names that this machine knows without a name server. The next lookup sees a change of the file. */
export class HostsFile {
  readonly #file: ChangingFile;
  #addresses: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path = "/etc/hosts") {
    this.#file = new ChangingFile(path);
  }

  /** The addresses of a name in lower case, in the file's order. */
  lookup(name: string): readonly string[] {
    if (this.#file.hasChanged()) this.#addresses = read(this.#file.path);
    return this.#addresses.get(name) ?? [];
  }
}

/** A file that is missing or cannot be read knows no names. getaddrinfo(3) does the same. */
function read(path: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of textOf(path).split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      addresses.set(key, [...(addresses.get(key) ?? []), address]);
    }
  }
  return addresses;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
