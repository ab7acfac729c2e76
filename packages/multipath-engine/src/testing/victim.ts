import { FrameEncoder } from "@hawser/shared-protocol";
import type { SessionEvent } from "../events.ts";
import { MemoryBudget } from "../memory-budget.ts";
import { Session } from "../session.ts";
import type { Turn } from "../turn.ts";
import type { Sent } from "./harness.ts";

export interface VictimOptions {
  readonly side: "local" | "remote";
  readonly memoryCap: number;
  readonly subflows?: number;
}

/** A session in the hands of a hostile peer, with the turns that the gateways' driver makes. */
export class Victim {
  readonly session: Session;
  readonly memoryCap: number;
  now = 1_000;
  /** Bytes that the session has sent on each subflow: a peer that lies in its ACKs must know. */
  readonly sent = new Map<number, number>();
  /** Called for each event of a turn. */
  onEvent: (event: SessionEvent) => void = () => {};
  /** Takes what the session sends on a subflow; false when its connection takes no more. */
  onSend: (subflow: number, parts: readonly Buffer[]) => boolean = () => true;

  constructor({ side, memoryCap, subflows = 1 }: VictimOptions) {
    this.memoryCap = memoryCap;
    this.session = new Session({ side, memory: new MemoryBudget(memoryCap) }, this.now);
    for (let id = 0; id < subflows; id++)
      this.session.addSubflow({ id, path: `p${id}`, role: "active" }, this.now);
  }

  give(subflow: number, bytes: Uint8Array): void {
    this.session.handleBytes(subflow, bytes, this.now);
  }

  /** One turn of the driver: time, events, then what there is to send. */
  turn(): void {
    this.session.handleTimeout(this.now);
    for (let event = this.session.pollEvent(); event; event = this.session.pollEvent()) {
      this.onEvent(event);
      if (event.type === "close-subflow")
        this.#send(event.subflow, this.session.takeLastWords(event.subflow) ?? []);
    }
    const turn = this.session.startTurn(this.now);
    for (const id of turn.order) this.#transmit(id, turn);
  }

  #transmit(id: number, turn: Turn): void {
    for (let turns = 0; ; turns++) {
      if (turns > 10_000) throw new Error(`pollTransmit of subflow ${id} never ends`);
      if (!this.onSend(id, [])) return;
      const parts = this.session.pollTransmit(id, turn);
      if (!parts) return;
      this.#send(id, parts);
    }
  }

  #send(id: number, parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.sent.set(id, (this.sent.get(id) ?? 0) + bytes);
    this.onSend(id, parts);
  }
}

/** The frames' bytes. DATA's payload is zeros. */
export function encode(frames: readonly Sent[]): Buffer {
  const encoder = new FrameEncoder();
  for (const frame of frames) {
    if (frame.type === "data") encoder.appendData(frame.stream, frame.offset, Buffer.alloc(frame.length));
    else encoder.append(frame);
  }
  return Buffer.concat(encoder.take());
}
