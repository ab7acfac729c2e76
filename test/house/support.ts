import { readdirSync, readFileSync } from "node:fs";
import type { Gateway, Hawser } from "../lab/hawser.ts";

/** Changes local.toml, without telling the gateway. */
export function editLocal(hawser: Hawser, edit: (text: string) => string): void {
  const text = readFileSync(hawser.file("local.toml"), "utf8");
  const edited = edit(text);
  if (edited === text) throw new Error(`the edit changes nothing in:\n${text}`);
  hawser.write("local.toml", edited);
}

/** Changes local.toml and starts the local gateway again with it. */
export async function reconfigure(hawser: Hawser, edit: (text: string) => string): Promise<void> {
  editLocal(hawser, edit);
  await hawser.local.stop();
  await hawser.startLocal();
  await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "disabled"));
}

/** How many descriptors a gateway has open. */
export function descriptorsOf({ process: { pid } }: Gateway): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resident memory of a gateway, bytes. */
export function memoryOf({ process: { pid } }: Gateway): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
