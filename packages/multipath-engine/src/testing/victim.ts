import { FrameEncoder } from "@hawser/shared-protocol";
import type { SessionEvent } from "../events.ts";
import { makeTurn, type TurnConnection } from "../make-turn.ts";
import { MemoryBudget } from "../memory-budget.ts";
import { Session } from "../session.ts";
import type { Sent } from "./harness.ts";

export interface VictimOptions {
  readonly side: "local" | "remote";
  readonly memoryCap: number;
  readonly subflows?: number;
}

/** More writes of one subflow in one turn than any session makes that ends. */
const MAX_WRITES = 10_000;

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

  /** One turn, as the gateways make it. */
  turn(): void {
    const connections = { get: (id: number) => this.#connection(id) };
    const deliver = (event: SessionEvent): void => {
      this.onEvent(event);
      if (event.type === "close-subflow")
        this.#send(event.subflow, this.session.takeLastWords(event.subflow) ?? []);
    };
    makeTurn(this.session, connections, deliver, this.now);
  }

  /** A subflow's connection for one turn. */
  #connection(id: number): TurnConnection {
    const takesMore = (): boolean => this.onSend(id, []);
    let writes = 0;
    return {
      get takesMore() {
        return takesMore();
      },
      write: (parts) => {
        if (++writes > MAX_WRITES) throw new Error(`pollTransmit of subflow ${id} never ends`);
        this.#send(id, parts);
      },
    };
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
