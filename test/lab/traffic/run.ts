/** The traffic programs, started as processes on a host of the house. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "../namespace.ts";
import type {
  ConnectRateTask,
  DownloadTask,
  FirstByteTask,
  Output,
  Results,
  Task,
  UploadTask,
} from "./tasks.ts";

export const ORIGIN_PORT = 7000;

export interface RunningOrigin {
  readonly process: ChildProcess;
  /** The port for requests, see origin.ts. */
  readonly port: number;
  /** All ports for requests, when several were asked for. */
  readonly ports: readonly number[];
  /** The port where the server speaks first. */
  readonly talkerPort: number;
  stop(): Promise<void>;
}

/** Starts the server of the tests; it listens when this resolves. Port 0 is any free one. */
export async function startOrigin(
  host: Host,
  options: { ports?: readonly number[]; listen?: string } = {},
): Promise<RunningOrigin> {
  const wanted = options.ports ?? [ORIGIN_PORT];
  const args = [program("origin.ts"), "--host", options.listen ?? "::", ...wanted.map(String)];
  const child = host.spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("the origin server has no stdout");
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line") as Promise<[string]>,
    exited.then(() => Promise.reject(new Error(`the origin server ended with ${child.exitCode}`))),
  ]);
  const { ports, talker } = JSON.parse(line) as { ports: number[]; talker: number };
  return {
    process: child,
    port: ports[0] as number,
    ports,
    talkerPort: talker,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A task under way that can be aborted. */
export interface Running<T> {
  readonly process: ChildProcess;
  readonly result: Promise<T>;
}

/** Starts a task on a host. `result` resolves when the task is done. */
export function start<T extends Task>(
  host: Host,
  task: T,
  onProgress?: (progress: { ms: number; bytes: number }) => void,
): Running<Results[T["op"]]> {
  const child = host.spawn(process.execPath, [program("client.ts"), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Results[T["op"]]>();
  if (child.stdout !== null) {
    createInterface(child.stdout).on("line", (line) => {
      const output = JSON.parse(line) as Output;
      if ("result" in output) resolve(output.result as Results[T["op"]]);
      else onProgress?.(output.progress);
    });
  }
  child.once("error", reject);
  child.once("close", (code, signal) =>
    reject(new Error(`the client ended without a result (${signal ?? code})`)),
  );
  return { process: child, result: promise };
}

export function download(host: Host, task: Omit<DownloadTask, "op">): Promise<Results["download"]> {
  return start(host, { op: "download", ...task }).result;
}

export function upload(host: Host, task: Omit<UploadTask, "op">): Promise<Results["upload"]> {
  return start(host, { op: "upload", ...task }).result;
}

export function firstByte(host: Host, task: Omit<FirstByteTask, "op">): Promise<Results["firstByte"]> {
  return start(host, { op: "firstByte", ...task }).result;
}

export function connectRate(host: Host, task: Omit<ConnectRateTask, "op">): Promise<Results["connectRate"]> {
  return start(host, { op: "connectRate", ...task }).result;
}

function program(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
