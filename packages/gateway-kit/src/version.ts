import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The version in the package.json nearest above a module: of `import.meta.url`. */
export function readVersion(moduleUrl: string): string {
  for (let directory = new URL(".", moduleUrl); ; directory = new URL("..", directory)) {
    try {
      const manifest: unknown = JSON.parse(
        readFileSync(fileURLToPath(new URL("package.json", directory)), "utf8"),
      );
      if (typeof manifest === "object" && manifest !== null && "version" in manifest)
        return String(manifest.version);
    } catch {
      // Not in this directory.
    }
    if (directory.pathname === "/") return "unknown";
  }
}
