import { statSync } from "node:fs";

/** A file that others change: says when to read it anew. A look costs a few microseconds. */
export class ChangingFile {
  readonly path: string;
  #seen: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether it is another one than at the last call, or has come or gone; true at the first call. */
  hasChanged(): boolean {
    const stamp = stampOf(this.path);
    if (stamp === this.#seen) return false;
    this.#seen = stamp;
    return true;
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, ctimeMs } = statSync(path);
    return `${ino} ${size} ${ctimeMs}`;
  } catch {
    return "none";
  }
}
