import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Host } from "../lab/namespace.ts";

/** This machine as a host of the demo: what was started is ended with it, however that ends. */
export class Processes implements Host {
  readonly #children = new Set<ChildProcess>();

  constructor() {
    process.on("exit", () => {
      for (const child of this.#children) child.kill("SIGKILL");
    });
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    // Detached: a Ctrl-C at the terminal is for the demo alone to handle.
    const child = spawn(command, args, { detached: true, ...options });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    child.once("error", () => this.#children.delete(child));
    return child;
  }

  /** Runs a program of Node to its end; what it printed. @throws Error when it fails */
  async output(args: readonly string[]): Promise<string> {
    const child = this.spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
    return text;
  }

  /** Asks a process to end as systemd would, and waits until it has. */
  async stop(child: ChildProcess): Promise<void> {
    if (!this.#children.has(child)) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.stop(child)));
  }
}
