import { STREAM_BYTES } from "./limits.ts";

/** Share of the cap that streams by themselves may take: the rest is for what comes on them. */
const STREAMS_SHARE = 0.5;
/** Share of the room for streams that is only for parts with few of them, where several have some. */
const RESERVED = 1 / 16;
/** Share of the cap that windows may grow by, all together. */
const GROWTH_SHARE = 0.5;
/** Below this share of growth windows may grow faster: most streams soon rest, and keep what they were promised. */
const AMPLE_BELOW = 0.25;
/** Share of the cap above which windows grow no more, and shrink. */
const SHRINK_ABOVE = 0.75;

/** Share of the cap that what is held may take before it is time to look who holds it. */
const NEARLY_ALL = 7 / 8;

/** A stream that holds received bytes and can be ended to free them. */
export interface Holder {
  /** Ends the stream; its memory is given back at once. */
  shed(): void;
}

/**
 * The memory that streams may use, `cap` bytes each way. A budget within another (a peer's within the gateway's) counts
 * in both, and the shorter of the two decides.
 *
 * `heldToRead` is what has come and was not consumed, what windows have grown by, and STREAM_BYTES for each stream: an
 * idle stream takes no more than that. So the windows that streams begin with are together more than there is. Where
 * they are really filled, the stream whose reader has taken nothing for longest is shed. `heldToSend` is what the send
 * buffers take.
 */
export class MemoryBudget {
  /** Bytes. A lower one takes effect as streams end and windows shrink. */
  cap: number;
  readonly #within: MemoryBudget | undefined;
  /** Budgets within this one that have streams. */
  readonly #parts = new Set<MemoryBudget>();
  /** Who holds bytes; first those whose readers have taken nothing for longest. */
  readonly #holders = new Set<Holder>();
  #streams = 0;
  #bytesToRead = 0;
  /** Of these, by what windows have grown. */
  #grown = 0;
  #heldToSend = 0;

  constructor(cap: number, within?: MemoryBudget) {
    this.cap = cap;
    this.#within = within;
  }

  get heldToRead(): number {
    return this.#streams * STREAM_BYTES + this.#bytesToRead;
  }

  get heldToSend(): number {
    return this.#heldToSend;
  }

  // --- changes ---

  addStream(): void {
    this.#streams++;
    this.#within?.addStream();
    this.#within?.notePart(this);
  }

  removeStream(): void {
    this.#streams--;
    this.#within?.removeStream();
    this.#within?.notePart(this);
  }

  /** A budget within this one has another number of streams. */
  notePart(part: MemoryBudget): void {
    if (part.#streams > 0) this.#parts.add(part);
    else this.#parts.delete(part);
  }

  /** A stream's bytes take so many more to be read, or fewer; `grown` of these because its window has grown. */
  holdToRead(bytes: number, grown: number): void {
    this.#bytesToRead += bytes;
    this.#grown += grown;
    this.#within?.holdToRead(bytes, grown);
  }

  /** A send buffer takes `bytes` more, or less. */
  holdToSend(bytes: number): void {
    this.#heldToSend += bytes;
    this.#within?.holdToSend(bytes);
  }

  /** The holder holds bytes now and did not before, or its reader has just taken some: it is the last one to be shed. */
  noteHolding(holder: Holder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
  }

  noteEmpty(holder: Holder): void {
    this.#holders.delete(holder);
  }

  // --- what there is room for ---

  /** How many streams find room, if there is nothing else within the same memory. */
  get maxStreams(): number {
    return Math.floor((this.cap * STREAMS_SHARE) / STREAM_BYTES);
  }

  /** Another stream finds no room. */
  get isSpent(): boolean {
    return this.#streams >= this.maxStreams || this.#within?.isSpentFor(this) === true;
  }

  /** The last of the room is for those who have less than half as many as whoever has most: several may be greedy. */
  isSpentFor(part: MemoryBudget): boolean {
    if (this.isSpent || this.#parts.size < 2) return this.isSpent;
    if (part.#streams === 0 || this.#streams < this.maxStreams * (1 - RESERVED)) return false;
    const most = Math.max(...[...this.#parts].map((each) => each.#streams));
    return part.#streams >= most / 2;
  }

  /** What has come, and is not read, takes most of the memory: streams are about to be shed. */
  get isNearlyFull(): boolean {
    return this.heldToRead > this.cap * NEARLY_ALL;
  }

  /** What one window may grow by. What streams hold by themselves leaves it as it is until they are very many. */
  get leftToGrow(): number {
    const left = Math.min(this.cap * GROWTH_SHARE - this.#grown, this.cap * SHRINK_ABOVE - this.heldToRead);
    const own = Math.max(0, left);
    return Math.min(own, this.#within?.leftToGrow ?? own);
  }

  /** Windows may grow ahead of what their readers have shown. */
  get isAmple(): boolean {
    return this.#grown < this.cap * AMPLE_BELOW && !this.isShort && this.#within?.isAmple !== false;
  }

  /** Windows above the initial one are to shrink. */
  get isShort(): boolean {
    return this.heldToRead > this.cap * SHRINK_ABOVE || this.#within?.isShort === true;
  }

  /** What send buffers may still take; below 0 when they hold too much. */
  get leftToHold(): number {
    const own = this.cap - this.#heldToSend;
    return Math.min(own, this.#within?.leftToHold ?? own);
  }

  // --- too much has come ---

  /**
   * Sheds streams until what is held is no more than there is: the gateway's memory at the cost of the part that holds
   * most. Who has just received is not the one to suffer: a reader that takes what comes receives most.
   */
  relieve(): void {
    while (this.heldToRead > this.cap && this.#shedOne());
    this.#within?.relieve();
  }

  #shedOne(): boolean {
    let heaviest: MemoryBudget | undefined;
    for (const part of this.#parts)
      if (part.#holders.size > 0 && part.heldToRead > (heaviest?.heldToRead ?? 0)) heaviest = part;
    if (heaviest) return heaviest.#shedOne();
    const [stalest] = this.#holders;
    if (!stalest) return false;
    this.#holders.delete(stalest);
    stalest.shed();
    return true;
  }
}
