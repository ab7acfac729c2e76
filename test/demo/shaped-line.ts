/** A line in user space: what goes through is held back as the line would, byte streams instead of packets. */
import type { Socket } from "node:net";
import { type DirectionSettings, Fate, LineDirection } from "../lab/emulator/line-model.ts";
import type { DemoLine } from "./stage.ts";

/** Full packets of a line with an MTU of 1500 carry this much of a stream; the rest is IP and TCP headers. */
const SEGMENT_BYTES = 1448;
const HEADER_BYTES = 52;
/** Segments under way per direction: far more than the queue lets in. */
const CAPACITY = 1 << 15;

export class ShapedLine {
  readonly #down: ShapedDirection;
  readonly #up: ShapedDirection;

  constructor({ down, up, delayMs, queueMs }: Pick<DemoLine, "down" | "up" | "delayMs" | "queueMs">) {
    this.#down = new ShapedDirection({ rate: down, delayMs }, queueMs);
    this.#up = new ShapedDirection({ rate: up, delayMs }, queueMs);
  }

  /** What it has brought into the house, bytes of IP. */
  get carriedDown(): number {
    return this.#down.carried;
  }

  /** Joins the two over this line; `near` is the house's side. */
  join(near: Socket, far: Socket): void {
    this.#up.carry(near, far);
    this.#down.carry(far, near);
  }
}

/** Something on its way: bytes for a socket, or the end of its stream. */
interface Segment {
  readonly to: Socket;
  readonly data: Buffer | undefined;
}

/**
 * One direction, shared by all connections. TCP takes the place of the queue's drops: a sender that finds the queue full
 * is not read until there is room again.
 */
class ShapedDirection {
  readonly #line: LineDirection;
  readonly #queueMs: number;
  readonly #segments = new Map<number, Segment>();
  #nextSlot = 0;
  /** Not read until the queue is shorter. */
  readonly #held = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: Partial<DirectionSettings>, queueMs: number) {
    // The queue's limit is this class's to keep: nothing of a stream may be dropped.
    this.#line = new LineDirection({ ...settings, queueMs: Infinity }, 1, CAPACITY);
    this.#queueMs = queueMs;
  }

  get carried(): number {
    return this.#line.counters.deliveredBytes;
  }

  carry(from: Socket, to: Socket): void {
    from.on("data", (data: Buffer) => {
      for (let at = 0; at < data.length; at += SEGMENT_BYTES) {
        this.#send(to, data.subarray(at, at + SEGMENT_BYTES));
      }
      if (this.#line.backlogMs(performance.now()) >= this.#queueMs) {
        from.pause();
        this.#held.add(from);
      }
    });
    from.once("end", () => this.#send(to, undefined));
    from.on("error", () => to.resetAndDestroy());
    from.once("close", () => {
      this.#held.delete(from);
      // After an end of both streams there is nothing to cut; what is on the line still arrives.
      if (!from.readableEnded) to.resetAndDestroy();
    });
  }

  #send(to: Socket, data: Buffer | undefined): void {
    const slot = this.#nextSlot++ % 0x7fffffff;
    const bytes = HEADER_BYTES + (data?.length ?? 0);
    if (this.#line.offer(performance.now(), slot, bytes) === Fate.dropped) to.destroy();
    else this.#segments.set(slot, { to, data });
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#line.nextArrival();
    if (this.#timer !== undefined || next === Infinity) return;
    this.#timer = setTimeout(() => this.#deliver(), Math.max(0, next - performance.now()));
  }

  #deliver(): void {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#line.nextArrival() <= now) {
      const slot = this.#line.take();
      const { to, data } = this.#segments.get(slot) as Segment;
      this.#segments.delete(slot);
      if (!to.writable) continue;
      if (data === undefined) to.end();
      else to.write(data);
    }
    if (this.#line.backlogMs(now) < this.#queueMs) {
      for (const socket of this.#held) socket.resume();
      this.#held.clear();
    }
    this.#schedule();
  }
}
