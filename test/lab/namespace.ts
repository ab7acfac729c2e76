import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";

export interface ExecOptions {
  /** Written to the command's stdin. */
  input?: string;
  /** Kills the command after this long. */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
}

/** A place where commands run: a namespace of a house, or this machine itself. */
export interface Host {
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

/** This machine, without a namespace: for runs on loopback. */
export const thisMachine: Host = {
  spawn: (command, args, options = {}) => spawn(command, args, options),
};

/** One network namespace, and the processes started in it. */
export class Namespace implements Host {
  /** As `ip netns` knows it. */
  readonly name: string;
  readonly #children = new Set<ChildProcess>();

  constructor(name: string) {
    this.name = name;
  }

  /** Starts a command in the namespace; it is killed when the house closes. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    // `ip netns exec` becomes the command: the child's pid is the command's own.
    const child = spawn("ip", ["netns", "exec", this.name, command, ...args], options);
    this.track(child);
    return child;
  }

  /** Makes the house kill this process when it closes. */
  track(child: ChildProcess): void {
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    child.once("error", () => this.#children.delete(child));
  }

  /** Runs a command to its end. @throws Error with its stderr when it fails. */
  exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input, timeoutMs, ...rest } = options;
    return collect(this.spawn(command, args, rest), [command, ...args].join(" "), input, timeoutMs);
  }

  /** Runs `ip` commands, each a line without the `ip`. Those of family -6 come after the others. */
  async ip(commands: readonly string[]): Promise<void> {
    const isV6 = (command: string): boolean => command.startsWith("-6 ");
    const batch = async (family: string, lines: readonly string[]): Promise<void> => {
      const input = lines.map((line) => line.replace(/^-[46] /, "")).join("\n");
      if (input !== "") await this.exec("ip", [family, "-batch", "-"], { input });
    };
    // A batch has one family for all its lines. Commands for links are in the first batch.
    await batch(
      "-4",
      commands.filter((command) => !isV6(command)),
    );
    await batch("-6", commands.filter(isV6));
  }

  /** Kills, by process id, all processes that were started from here, and those that they have started. */
  killAll(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const pid of pidsIn(this.name)) kill(pid);
  }

  /** Resolves when the processes started from here have ended. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#children].map((child) => new Promise((resolve) => child.once("exit", resolve))),
    );
  }
}

/** Runs a command outside the namespaces to its end. @throws Error with its stderr when it fails. */
export function run(command: string, args: readonly string[], input?: string): Promise<ExecResult> {
  return collect(spawn(command, args), [command, ...args].join(" "), input, undefined);
}

function collect(
  child: ChildProcess,
  title: string,
  input: string | undefined,
  timeoutMs: number | undefined,
): Promise<ExecResult> {
  const result: ExecResult = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  // A command that ends without reading its input is judged by its exit code alone.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input ?? "");
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(result);
      else reject(new Error(`${title}: ${signal ?? `exit code ${code}`}\n${result.stderr}${result.stdout}`));
    });
  });
}

/**
 * Kills the processes in these namespaces and removes the namespaces. It is synchronous, for a process that is about to
 * end.
 */
export function removeNamespaces(names: readonly string[]): void {
  for (const name of names) for (const pid of pidsIn(name)) kill(pid);
  for (const name of names) quietly(["netns", "del", name]);
}

/** The names of all namespaces of the machine. */
export function listNamespaces(): string[] {
  const text = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
  return text.split("\n").flatMap((line) => line.split(" ")[0] || []);
}

function pidsIn(name: string): number[] {
  return quietly(["netns", "pids", name]).split("\n").filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
  }
}

/** The output of an `ip` command; empty when the command fails, since the namespace is then gone. */
function quietly(args: readonly string[]): string {
  try {
    return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
