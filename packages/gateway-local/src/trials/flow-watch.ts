import type { Session, Stream } from "@hawser/multipath-engine";

/** How often flows are looked at, ms. Reported times are as exact as that. */
const LOOK_MS = 10;
/** A flow is active when it moved bytes in this share of the slots of SLOT_MS before. */
const ACTIVE_SHARE = 0.5;
const SLOT_MS = 100;

interface Watched {
  progress: number;
  /** When it moved bytes last, by performance.now(). */
  at: number;
  /** Slots in which it moved bytes. */
  readonly slots: Set<number>;
  longestGapMs: number;
}

/** Watches the progress of a session's flows, from its construction until `stop`. */
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

  /** `path` is the path that is taken out. */
  constructor(session: Session, path: string) {
    this.#session = session;
    this.#path = path;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS);
  }

  /** The path is taken out now, and gaps are measured from now on. Returns the open flows. */
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

  /** Flows that moved bytes all the time before the path was taken out. */
  get active(): number {
    return this.#active.length;
  }

  /** Time from the path's return until it carried bytes of a flow, ms; null while it has carried none. */
  get backAfterMs(): number | null {
    return this.#backAfterMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * The longest time that an active flow was without progress since the path was taken out, ms; null without active
   * flows.
   */
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

  /** A gap from before the path was taken out is not counted. */
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

/** The flow has nothing to carry, as far as this end knows. */
function isIdle({ sendBuffer, finalOffset, reorder }: Stream): boolean {
  return sendBuffer.held === 0 && finalOffset === reorder.frontier;
}
