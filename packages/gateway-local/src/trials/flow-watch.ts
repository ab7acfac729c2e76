import type { Session, Stream } from "@hawser/multipath-engine";

/** Between two looks, ms: the resolution of what is reported. */
const LOOK_MS = 10;
/** A flow is active that has moved bytes in this share of the looks of SLOT_MS before. */
const ACTIVE_SHARE = 0.5;
const SLOT_MS = 100;

interface Watched {
  progress: number;
  /** performance.now() of its last progress. */
  at: number;
  /** Slots in which it moved bytes. */
  readonly slots: Set<number>;
  longestGapMs: number;
}

/** Watches how the flows of a session get on, from its making until `stop`. */
export class FlowWatch {
  readonly #session: Session;
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  readonly #begun = performance.now();
  readonly #watched = new Map<Stream, Watched>();
  #cutAt: number | undefined;
  #active: Watched[] = [];
  #atReturn: { readonly at: number; readonly carried: Map<Stream, number> } | undefined;
  #backAfterMs: number | null = null;

  /** `path` is the one that is taken out. */
  constructor(session: Session, path: string) {
    this.#session = session;
    this.#path = path;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS);
  }

  /** The path is taken out now: gaps count from here. Returns the flows that are open. */
  cut(): Stream[] {
    const now = performance.now();
    this.#look(now);
    this.#cutAt = now;
    const slots = (now - this.#begun) / SLOT_MS;
    this.#active = [...this.#watched.values()].filter((flow) => flow.slots.size >= ACTIVE_SHARE * slots);
    for (const flow of this.#active) flow.longestGapMs = 0;
    return [...this.#session.streams];
  }

  /** The path is put back now. */
  putBack(): void {
    const carried = new Map([...this.#session.streams].map((stream) => [stream, this.#carried(stream)]));
    this.#atReturn = { at: performance.now(), carried };
  }

  /** Flows that were moving bytes all the time before the cut. */
  get active(): number {
    return this.#active.length;
  }

  /** From the path's return until it carried bytes of a flow; null while it has not. */
  get backAfterMs(): number | null {
    return this.#backAfterMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The longest time without progress that an active flow had since the cut; null without such flows. */
  get longestGapMs(): number | null {
    if (this.#active.length === 0) return null;
    const now = performance.now();
    for (const [stream, flow] of this.#watched) if (!isIdle(stream)) this.#noteGap(flow, now);
    return Math.max(...this.#active.map(({ longestGapMs }) => longestGapMs));
  }

  #look(now: number): void {
    const open = new Set(this.#session.streams);
    for (const stream of this.#watched.keys()) if (!open.has(stream)) this.#watched.delete(stream);
    for (const stream of open) this.#lookAt(stream, now);
    this.#lookForReturn(open, now);
  }

  #lookAt(stream: Stream, now: number): void {
    const progress = stream.reorder.frontier + stream.sendBuffer.ackedTo;
    const flow = this.#watched.get(stream);
    if (!flow) {
      this.#watched.set(stream, { progress, at: now, slots: new Set(), longestGapMs: 0 });
    } else if (progress > flow.progress) {
      this.#noteGap(flow, now);
      flow.progress = progress;
      flow.at = now;
      if (this.#cutAt === undefined) flow.slots.add(Math.floor((now - this.#begun) / SLOT_MS));
    }
  }

  /** What was before the cut is not the drill's doing. */
  #noteGap(flow: Watched, now: number): void {
    const gap = now - Math.max(flow.at, this.#cutAt ?? now);
    flow.longestGapMs = Math.max(flow.longestGapMs, gap);
  }

  #lookForReturn(open: Iterable<Stream>, now: number): void {
    if (!this.#atReturn || this.#backAfterMs !== null) return;
    const { at, carried } = this.#atReturn;
    for (const stream of open) {
      if (this.#carried(stream) > (carried.get(stream) ?? 0)) this.#backAfterMs = now - at;
    }
  }

  #carried(stream: Stream): number {
    const share = stream.shares.get(this.#path);
    return share ? share.sent + share.received : 0;
  }
}

/** Nothing is to be carried, as far as this end can know. */
function isIdle({ sendBuffer, finalOffset, reorder }: Stream): boolean {
  return sendBuffer.held === 0 && finalOffset === reorder.frontier;
}
