import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CountersReply, EmulatorConfig, Reply, Request, WireSettings } from "./protocol.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
interface Pending {
  resolve(result: CountersReply | null): void;
  reject(error: Error): void;
}

/** The emulator process, as the process that started it sees it. */
export class Emulator {
  readonly process: ChildProcess;
  /** Whether the process got its real-time priority. */
  realtime = false;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  private constructor(process: ChildProcess) {
    this.process = process;
  }

  /** Starts the process and waits until its devices are there. */
  static async start(config: EmulatorConfig, onStart: (process: ChildProcess) => void): Promise<Emulator> {
    const program = fileURLToPath(new URL("./main.ts", import.meta.url));
    // Garbage collection has no helper threads: the real-time thread would wait for helpers that get no CPU time.
    const args = ["--single-threaded-gc", "--disable-warning=ExperimentalWarning", program];
    // Detached, since the test or demo handles a Ctrl-C at the terminal, and its lines must outlive the signal.
    const child = spawn(process.execPath, [...args, JSON.stringify(config)], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    onStart(child);
    const emulator = new Emulator(child);
    await emulator.#untilReady();
    return emulator;
  }

  async #untilReady(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.process.stdout === null) throw new Error("the emulator has no stdout");
    createInterface(this.process.stdout).on("line", (line) => {
      const reply = JSON.parse(line) as Reply;
      if ("ready" in reply) {
        this.realtime = reply.realtime;
        resolve();
      } else {
        this.#settle(reply);
      }
    });
    // Writing to a process that has just ended fails here. The exit event gives the reason.
    this.process.stdin?.on("error", () => {});
    this.process.once("error", reject);
    this.process.once("exit", (code, signal) => {
      const error = new Error(`the emulator ended (${signal ?? code})`);
      reject(error);
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    });
    await promise;
  }

  #settle(reply: Exclude<Reply, { ready: true }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("error" in reply) pending?.reject(new Error(reply.error));
    else pending?.resolve(reply.result);
  }

  #ask(request: WithoutId<Request>): Promise<CountersReply | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) {
      return Promise.reject(new Error("the emulator has ended"));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.process.stdin?.write(`${JSON.stringify({ ...request, id })}\n`);
    });
  }

  /** Changes a line; resolves when the change holds. */
  async set(line: string, down: WireSettings, up: WireSettings): Promise<void> {
    await this.#ask({ op: "set", line, down, up });
  }

  async counters(): Promise<CountersReply> {
    return (await this.#ask({ op: "counters" })) as CountersReply;
  }

  /** Ends the process and with it the devices. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.stdin?.end();
    await exited;
  }
}
