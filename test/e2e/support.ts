import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Gateway, type Hawser, until } from "../lab/hawser.ts";
import type { Namespace } from "../lab/namespace.ts";

/** Two lines without bound or delay, for tests that do not measure speed. */
export const TWO_VETHS = [
  { name: "adsl1", kind: "veth" },
  { name: "adsl2", kind: "veth" },
] as const;

/** Two lines of 50 Mbit/s each way, with a round trip of 10 ms. */
export const TWO_QUICK_LINES = [
  { name: "adsl1", down: 50e6, up: 50e6, delayMs: 5 },
  { name: "adsl2", down: 50e6, up: 50e6, delayMs: 5 },
] as const;

/** For `wrap`: runs a program as a user without any rights, Debian's nobody. */
export const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];

/** How long a command may take. */
const PATIENCE_MS = 20_000;

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

/** Changes local.toml and has the running local gateway follow. */
export async function reload(hawser: Hawser, edit: (text: string) => string): Promise<void> {
  const reloads = (): number => hawser.local.logText().split('"msg":"reloaded ').length;
  const before = reloads();
  editLocal(hawser, edit);
  hawser.local.process.kill("SIGHUP");
  await until(async () => reloads() > before);
}

/** How many descriptors a gateway has open. */
export function descriptorsOf({ process: { pid } }: Gateway): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the two programs in a namespace to its end, whether it fails or not. Its output is returned as bytes. */
export async function runProgram(
  namespace: Namespace,
  program: "hawser-local" | "hawser-remote",
  args: readonly string[],
  input = "",
  { wrap = [] as readonly string[] } = {},
): Promise<ProgramResult> {
  const [command, ...rest] = [...wrap, process.execPath, programFile(program), ...args];
  const child = namespace.spawn(command as string, rest);
  const result = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("latin1").on("data", (text: string) => (result.stdout += text));
  child.stderr?.setEncoding("latin1").on("data", (text: string) => (result.stderr += text));
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, ...result };
}

/** The file that Node runs. */
export function programFile(program: "hawser-local" | "hawser-remote"): string {
  return `${commandFile(program)}.mjs`;
}

/** The command, with the Node and the settings of Node that users get. */
export function commandFile(program: "hawser-local" | "hawser-remote"): string {
  const folder = program.replace("hawser-", "gateway-");
  return fileURLToPath(new URL(`../../packages/${folder}/bin/${program}`, import.meta.url));
}

/** The secret part of a pairing line. */
export function pairingSecret(line: string): string {
  const secret = /^hawser:\/\/[^:]+:([^@]+)@/.exec(line)?.[1];
  if (secret === undefined) throw new Error("this is no pairing line");
  return secret;
}
