import { LEAD_JUMP, LEAD_LEFT } from "./parameters.ts";
import { Queue } from "./queue.ts";
import { RangeSet } from "./ranges.ts";

/** A piece of what the application wrote, kept by reference until acknowledged. */
interface Segment {
  readonly start: number;
  end: number;
  readonly bytes: Buffer;
  /** Gives the buffer back to whoever lent it. Absent for a segment of our own, which may grow. */
  readonly release: (() => void) | undefined;
}

/** A range to be sent now; `payload` is a view on the sender's buffer. */
export interface Chunk {
  readonly offset: number;
  readonly payload: Buffer;
  /** It was sent before, and lost. */
  readonly isAgain?: true;
}

/** Writes up to this size are gathered into shared segments, so that one byte does not pin a whole buffer. */
const GATHER_BELOW = 1_024;
const GATHER_SIZE = 4_096;

/** A line that works ahead: it is so much slower than others that it sends bytes from further on in the stream. */
export interface Ahead {
  /** Bytes that the other lines will have delivered by the time its own arrive. */
  readonly lead: number;
  readonly line: object;
}

/**
 * One direction of a stream at its sender: what the application wrote and the peer has not acknowledged. Knows what was
 * never sent, and what was sent and lost with a subflow.
 */
export class SendBuffer {
  readonly #segments = new Queue<Segment>();
  #memory = 0;
  readonly #lost = new RangeSet();
  readonly #acked = new RangeSet();
  /** Ranges beyond #nextOffset that were sent ahead of what comes before them. */
  readonly #ahead = new RangeSet();
  #aheadBytes = 0;
  /** For each line that works ahead: where the last chunk that it sent ended. Each works in a place of its own. */
  #aheadTo: WeakMap<Ahead["line"], number> | undefined;
  #ackedTo = 0;
  #nextOffset = 0;
  /** Place of the segment that holds #nextOffset, counted from the head of the queue. */
  #nextSegment = 0;
  #end = 0;

  /** Offset behind the last byte written. */
  get end(): number {
    return this.#end;
  }

  /** First byte that is not acknowledged. */
  get ackedTo(): number {
    return this.#ackedTo;
  }

  /** First byte that was never sent; behind it some may have been. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Bytes held: from the first unacknowledged to the end. */
  get held(): number {
    return this.#end - this.#ackedTo;
  }

  /** Bytes were acknowledged of which some before them were not. */
  get hasGap(): boolean {
    return this.#acked.size > 0;
  }

  /** The memory that the bytes held take: a piece that was lent takes the whole buffer that it lies in. */
  get memory(): number {
    return this.#memory;
  }

  /** Takes over `bytes`; `release` is called once they are acknowledged: then no copy of them matters. */
  append(bytes: Buffer, release?: () => void): void {
    if (bytes.length === 0) {
      release?.();
      return;
    }
    if (bytes.length < GATHER_BELOW) {
      this.#gather(bytes);
      release?.();
    } else {
      this.#push({ start: this.#end, end: this.#end + bytes.length, bytes, release });
    }
    this.#end += bytes.length;
  }

  #gather(bytes: Buffer): void {
    let last = this.#segments.last();
    const used = last ? last.end - last.start : 0;
    if (!last || last.release || last.bytes.length - used < bytes.length) {
      last = {
        start: this.#end,
        end: this.#end,
        bytes: Buffer.allocUnsafeSlow(GATHER_SIZE),
        release: undefined,
      };
      this.#push(last);
    }
    last.bytes.set(bytes, last.end - last.start);
    last.end += bytes.length;
  }

  #push(segment: Segment): void {
    this.#segments.push(segment);
    this.#memory += memoryOf(segment);
  }

  /** Bytes that could be sent now: lost ones, and new ones below the credit `limit`. */
  sendable(limit: number): number {
    const lost = this.#lost.first();
    const overdue = lost ? Math.max(0, Math.min(lost.end, this.#nextOffset) - lost.start) : 0;
    return overdue + Math.max(0, this.#unsent(limit));
  }

  #unsent(limit: number): number {
    return Math.min(this.#end, limit) - this.#nextOffset - this.#aheadBytes;
  }

  /**
   * The next chunk of at most `most` bytes below `limit`, the first that is not under way. It counts as sent. With a
   * lead so many unsent bytes are left before it; there is no chunk when there are not so many.
   */
  take(most: number, limit: number, ahead?: Ahead): Chunk | undefined {
    if (ahead && ahead.lead > 0) return this.#takeAhead(most, limit, ahead);
    return this.#takeOverdue(most) ?? this.#takeNew(most, limit);
  }

  /**
   * The next chunk of a line that works ahead. It leaves `lead` unsent bytes for the other lines:
   *
   * ```
   *  #nextOffset                 last chunk ahead
   *       |<----- before ------>|####|next chunk
   *       |    (unsent bytes)   |
   * ```
   *
   * Its chunks follow each other while `before` is between `lead` and LEAD_LEFT times that. Otherwise it jumps to LEAD_JUMP
   * times the lead. So there are a few large gaps and not many small ones.
   */
  #takeAhead(most: number, limit: number, { lead, line }: Ahead): Chunk | undefined {
    const left = Math.min(Math.round(LEAD_JUMP * lead), this.#unsent(limit) - most);
    if (left < lead) return undefined;
    const end = Math.min(this.#end, limit);
    const last = this.#aheadTo?.get(line) ?? 0;
    const before = this.#unsentBefore(last);
    const goesOn = before >= lead && before <= LEAD_LEFT * lead;
    const [next] = goesOn ? this.#ahead.gaps(last, end) : [];
    const gap = next ?? this.#behindUnsent(left, end);
    if (!gap) return undefined;
    const chunk = this.read(gap.start, Math.min(most, gap.end - gap.start));
    const to = gap.start + chunk.payload.length;
    this.#aheadTo ??= new WeakMap();
    this.#aheadTo.set(line, to);
    this.#ahead.add(gap.start, to);
    this.#aheadBytes += chunk.payload.length;
    return this.#noteAgain(chunk);
  }

  #unsentBefore(offset: number): number {
    return total(this.#ahead.gaps(this.#nextOffset, offset));
  }

  /** The unsent gap, or the part of one, that begins behind `bytes` unsent bytes. */
  #behindUnsent(bytes: number, end: number): { start: number; end: number } | undefined {
    let left = bytes;
    for (const gap of this.#ahead.gaps(this.#nextOffset, end)) {
      const length = gap.end - gap.start;
      if (left < length) return { start: gap.start + left, end: gap.end };
      left -= length;
    }
    return undefined;
  }

  /** The first lost bytes among those before which everything was sent. */
  #takeOverdue(most: number): Chunk | undefined {
    const lost = this.#lost.first();
    if (!lost || lost.start >= this.#nextOffset) return undefined;
    const end = Math.min(lost.end, this.#nextOffset);
    return this.#noteAgain(this.read(lost.start, Math.min(most, end - lost.start)));
  }

  #noteAgain(chunk: Chunk): Chunk {
    const isAgain = this.#lost.has(chunk.offset);
    this.#lost.remove(chunk.offset, chunk.offset + chunk.payload.length);
    return isAgain ? { ...chunk, isAgain } : chunk;
  }

  #takeNew(most: number, limit: number): Chunk | undefined {
    const ahead = this.#ahead.first()?.start ?? Number.POSITIVE_INFINITY;
    const room = Math.min(this.#end, limit, ahead) - this.#nextOffset;
    if (room <= 0) return undefined;
    let segment = this.#segments.at(this.#nextSegment) as Segment;
    while (segment.end <= this.#nextOffset) segment = this.#segments.at(++this.#nextSegment) as Segment;
    const chunk = cut(segment, this.#nextOffset, Math.min(most, room));
    const sentTo = this.#nextOffset + chunk.payload.length;
    this.#passAhead(sentTo);
    return this.#noteAgain(chunk);
  }

  /** All before `offset` was sent; so was what was sent ahead and follows it without a gap. */
  #passAhead(offset: number): void {
    this.#nextOffset = this.#ahead.advance(offset);
    this.#aheadBytes -= this.#nextOffset - offset;
  }

  /** The bytes at `offset`, at most `most` and at most to the end of their segment; not acknowledged before. */
  read(offset: number, most: number): Chunk {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#segments.at(middle) as Segment).end > offset) high = middle;
      else low = middle + 1;
    }
    return cut(this.#segments.at(low) as Segment, offset, most);
  }

  /** The peer has received [start, end). */
  acknowledge(start: number, end: number): void {
    this.regain(start, end);
    if (start > this.#ackedTo) this.#acked.add(start, end);
    if (start > this.#ackedTo || end <= this.#ackedTo) return;
    this.#ackedTo = this.#acked.advance(end);
    this.#releaseTo(this.#ackedTo);
  }

  #releaseTo(offset: number): void {
    for (let head = this.#segments.peek(); head && head.end <= offset; head = this.#segments.peek()) {
      // A gathering segment at the end stays: more may be written into it.
      if (!head.release && this.#segments.length === 1) break;
      this.#segments.shift();
      this.#memory -= memoryOf(head);
      if (this.#nextSegment > 0) this.#nextSegment--;
      head.release?.();
    }
  }

  isAcknowledged(offset: number, length: number): boolean {
    return this.#acked.gaps(Math.max(offset, this.#ackedTo), offset + length).length === 0;
  }

  /**
   * [start, end) was lost with its subflow: what of it is unacknowledged is to be sent again. Where it was sent ahead it
   * counts as never sent: what comes before it is more urgent.
   */
  lose(start: number, end: number): void {
    for (const gap of this.#acked.gaps(Math.max(start, this.#ackedTo), end)) {
      this.#lost.add(gap.start, gap.end);
      const from = Math.max(gap.start, this.#nextOffset);
      this.#aheadBytes -= Math.max(0, gap.end - from) - total(this.#ahead.gaps(from, gap.end));
      this.#ahead.remove(from, gap.end);
    }
  }

  /** The subflow that had [start, end) lives after all: what was not sent elsewhere meanwhile need not be. */
  regain(start: number, end: number): void {
    this.#lost.remove(start, end);
    const from = Math.max(start, this.#nextOffset);
    this.#aheadBytes += total(this.#ahead.gaps(from, end));
    this.#ahead.add(from, end);
    this.#passAhead(this.#nextOffset);
  }

  /**
   * Forgets everything; nothing can be sent any more. The buffers are not released: what is unacknowledged may still
   * wait in a connection's write queue, and must not change under it.
   */
  discard(): void {
    this.#segments.drain();
    this.#memory = 0;
    this.#lost.remove(0, this.#end);
    this.#ahead.remove(0, this.#end);
    this.#aheadBytes = 0;
    this.#ackedTo = this.#end;
    this.#nextOffset = this.#end;
    this.#nextSegment = 0;
  }
}

function total(ranges: readonly { readonly start: number; readonly end: number }[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Bytes that its lender or we made for it alone. */
function memoryOf({ bytes, release }: Segment): number {
  return release ? bytes.buffer.byteLength : bytes.length;
}

function cut(segment: Segment, offset: number, most: number): Chunk {
  const from = offset - segment.start;
  const to = Math.min(from + most, segment.end - segment.start);
  return { offset, payload: segment.bytes.subarray(from, to) };
}
