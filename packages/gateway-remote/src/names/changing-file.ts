import { statSync } from "node:fs";

/** Tells when a file that other programs change must be read again. One check costs a few microseconds. */
export class ChangingFile {
  readonly path: string;
  #seen: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether the file was changed, created or removed since the last call; true at the first call. */
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
