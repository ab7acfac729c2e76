import { type Frame, FrameDecoder, FrameEncoder } from "@hawser/shared-protocol";
import { MemoryBudget } from "../memory-budget.ts";
import { Session } from "../session.ts";
import type { StreamRequest } from "../stream.ts";

export const NOW = 1_000;
export const MEMORY = 4 * 1024 * 1024;
export const REQUEST: StreamRequest = {
  kind: "redirect",
  destination: { host: "192.0.2.1", port: 443 },
  source: { host: "10.0.0.2", port: 40_000 },
};

export const OPEN = { type: "open", stream: 0, ...REQUEST } as const satisfies Frame;

export type Sent =
  | Frame
  | { readonly type: "data"; readonly stream: number; readonly offset: number; readonly length: number };

/** A session whose peer is this test: frames in, frames and events out. */
export class Harness {
  readonly session: Session;
  now = NOW;

  constructor(side: "local" | "remote", subflows = 1, memoryCap = MEMORY) {
    this.session = new Session({ side, memory: new MemoryBudget(memoryCap) }, NOW);
    for (let id = 0; id < subflows; id++)
      this.session.addSubflow({ id, path: `p${id}`, role: "active" }, NOW);
    this.sent();
    this.events();
  }

  give(...frames: readonly Sent[]): void {
    this.giveOn(0, ...frames);
  }

  giveOn(subflow: number, ...frames: readonly Sent[]): void {
    const encoder = new FrameEncoder();
    for (const frame of frames) {
      if (frame.type === "data") encoder.appendData(frame.stream, frame.offset, Buffer.alloc(frame.length));
      else encoder.append(frame);
    }
    this.session.handleBytes(subflow, Buffer.concat(encoder.take()), this.now);
  }

  events(): string[] {
    const types: string[] = [];
    for (let event = this.session.pollEvent(); event; event = this.session.pollEvent())
      types.push(event.type);
    return types;
  }

  /** The subflows in the order in which they are asked now. */
  order(): readonly number[] {
    return this.session.startTurn(this.now).order;
  }

  /** What the session sends on its subflows now, acknowledgements left out. */
  sent(ids: readonly number[] = [...this.order(), 0]): Sent[] {
    const turn = this.session.startTurn(this.now);
    const frames: Sent[] = [];
    for (const id of ids) {
      const decoder = new FrameDecoder();
      for (
        let parts = this.session.takeLastWords(id) ?? this.session.pollTransmit(id, turn);
        parts;
        parts = this.session.pollTransmit(id, turn)
      ) {
        decoder.decode(Buffer.concat(parts), {
          handleFrame: (frame) => {
            if (frame.type !== "ack" && frame.type !== "ping") frames.push(frame);
            return undefined;
          },
          handleData: (stream, offset, { length }) => {
            frames.push({ type: "data", stream, offset, length });
            return undefined;
          },
        });
      }
    }
    return frames;
  }
}
