import { readSync, writeSync } from "node:fs";
import type { LineDirection } from "./line-model.ts";
import { type CountersReply, fromWire, type LineCounters, type Reply, type Request } from "./protocol.ts";

/** The descriptor that requests come from. The loop polls it along with the devices. */
export const CONTROL_FD = 0;
const REPLY_FD = 1;

/** Carries out the requests of the process that started the emulator. */
export class Control {
  /** The loop's own counters, reported by `counters`. */
  readonly loop = { wakeups: 0, latestMs: 0 };
  readonly #lines = new Map<string, { down: LineDirection; up: LineDirection }>();
  readonly #chunk = Buffer.alloc(65536);
  #unfinished = "";

  addLine(name: string, down: LineDirection, up: LineDirection): void {
    this.#lines.set(name, { down, up });
  }

  send(reply: Reply): void {
    writeSync(REPLY_FD, `${JSON.stringify(reply)}\n`);
  }

  /**
   * Reads the requests that have come. Call it only when there is something to read. False when the other end is gone.
   */
  handleReadable(now: number): boolean {
    let got: number;
    try {
      got = readSync(CONTROL_FD, this.#chunk);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "EAGAIN";
    }
    const lines = (this.#unfinished + this.#chunk.toString("utf8", 0, got)).split("\n");
    this.#unfinished = lines.pop() ?? "";
    for (const line of lines) this.#answer(now, JSON.parse(line) as Request);
    return got > 0;
  }

  #answer(now: number, request: Request): void {
    try {
      this.send({ id: request.id, result: this.#carryOut(now, request) });
    } catch (error) {
      this.send({ id: request.id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #carryOut(now: number, request: Request): CountersReply | null {
    if (request.op === "counters") return this.#counters();
    const line = this.#lines.get(request.line);
    if (line === undefined) throw new Error(`no line ${request.line}`);
    line.down.set(now, fromWire(request.down));
    line.up.set(now, fromWire(request.up));
    return null;
  }

  #counters(): CountersReply {
    const lines: Record<string, LineCounters> = {};
    for (const [name, { down, up }] of this.#lines) lines[name] = { down: down.counters, up: up.counters };
    const usage = process.cpuUsage();
    const reply = {
      lines,
      cpu: { userMs: usage.user / 1000, systemMs: usage.system / 1000 },
      wakeups: this.loop.wakeups,
      latestMs: this.loop.latestMs,
    };
    this.loop.latestMs = 0;
    return reply;
  }
}
