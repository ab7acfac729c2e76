import {
  HELD_UP,
  HELD_UP_SHARE,
  HOLD_UP_CREDIT,
  HOLD_UP_LOOK,
  REST,
  REST_FORGIVEN,
  REST_MAX,
} from "./parameters.ts";
import type { PathModel } from "./path-model.ts";
import { surrender } from "./reinjection.ts";
import type { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";
import type { Subflow } from "./subflow.ts";

/**
 * A line may hold up more than it carries: where segments are lost again and again, what it was given ahead comes seconds
 * after its turn, and all that the other lines have brought meanwhile waits for it at the peer. Such a line rests: it
 * carries nothing new as long as there are others, and what it has under way goes to them. After a while it is tried
 * again.
 */

/** Whether one line is worth its hold-ups: each byte that it carries lets it hold up another. */
export class HoldUpAccount {
  /** Bytes that it may still hold up; undefined: all that `HOLD_UP_CREDIT` allows. */
  #credit: number | undefined;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #rest = REST;
  #isResting = false;

  /** It holds up more than it carries, and is left out for a while. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** When its latest rest ends, or ended. */
  get restsUntil(): number {
    return this.#restsUntil;
  }

  /** Takes the time in: a rest may be over. */
  handleTime(now: number): void {
    this.#isResting = now < this.#restsUntil;
  }

  nextTimeout(): number {
    return this.#isResting ? this.#restsUntil : Number.POSITIVE_INFINITY;
  }

  handleCarried(bytes: number): void {
    if (this.#credit !== undefined) this.#credit += bytes;
  }

  /** Whether it may hold up so many `bytes`, at its `rate` in bytes per millisecond. */
  affords(bytes: number, rate: number): boolean {
    return bytes <= this.#creditAt(rate);
  }

  /** It has held up so many. */
  charge(bytes: number, rate: number): void {
    this.#credit = Math.max(0, this.#creditAt(rate) - bytes);
  }

  #creditAt(rate: number): number {
    return Math.min(this.#credit ?? Number.POSITIVE_INFINITY, HOLD_UP_CREDIT * rate);
  }

  /** Each rest is twice as long as the one before, unless the line was of use for long. */
  rest(now: number): void {
    if (now - this.#restsUntil > REST_FORGIVEN) this.#rest = REST;
    this.#restsUntil = now + this.#rest;
    this.#isResting = true;
    this.#rest = Math.min(REST_MAX, 2 * this.#rest);
    this.#credit = undefined;
  }
}

/** One stream's reader, at the peer, waits for bytes that others have overtaken. */
interface HoldUp {
  readonly since: number;
  /** The line that is to blame, and since when. */
  line?: Subflow | undefined;
  from: number;
}

/** A stream that has waited for long, and what has the bytes in question. */
interface Case {
  readonly stream: Stream;
  readonly holdUp: HoldUp;
  line?: Subflow;
  sentAt: number;
  /** They were sent over several lines: help is on its way. */
  isShared: boolean;
}

/** The hold-ups of all streams of one session. */
export class HoldUps {
  readonly #open = new Map<Stream, HoldUp>();
  #lookAt = Number.POSITIVE_INFINITY;

  /** Some of the stream's bytes were acknowledged; `moved`: those that the peer's reader waited for. */
  handleAcknowledged(state: SessionState, stream: Stream, moved: boolean): void {
    if (moved) this.#end(state, stream);
    if (!stream.sendBuffer.hasGap || this.#open.has(stream)) return;
    this.#open.set(stream, { since: state.now, from: state.now });
    this.#lookAt = Math.min(this.#lookAt, state.now + HELD_UP);
  }

  #end(state: SessionState, stream: Stream): void {
    const holdUp = this.#open.get(stream);
    if (!holdUp) return;
    this.#open.delete(stream);
    const { line, from } = holdUp;
    if (line && !line.holdUpAccount.isResting)
      line.holdUpAccount.charge(heldUp(state, stream, line, from), line.rate);
  }

  forget(stream: Stream): void {
    this.#open.delete(stream);
  }

  nextTimeout(): number {
    return this.#lookAt;
  }

  /** Takes the time in: a stream may have been held up for longer than its line is worth. */
  handleTime(state: SessionState): void {
    if (state.now < this.#lookAt) return;
    this.#lookAt = Number.POSITIVE_INFINITY;
    // With one line alive there is nobody to go on instead. When there are two again, what is missing is a new hold-up.
    if (state.choice.living.length < 2) return this.#open.clear();
    const cases = new Map<number, Case>();
    for (const [stream, holdUp] of this.#open) {
      const dueAt = holdUp.since + HELD_UP;
      if (dueAt <= state.now)
        cases.set(stream.id, { stream, holdUp, sentAt: Number.NEGATIVE_INFINITY, isShared: false });
      this.#lookAt = Math.min(this.#lookAt, Math.max(dueAt, state.now + HOLD_UP_LOOK));
    }
    if (cases.size === 0) return;
    // A subflow that is not awake has nothing under way.
    for (const subflow of state.attention.awake) findHeld(subflow, cases);
    for (const each of cases.values()) judge(state, each);
  }
}

/** Notes in the cases what this line has of the bytes that they are about. */
function findHeld(subflow: Subflow, cases: ReadonlyMap<number, Case>): void {
  for (const { stream, control, offset, length, sentAt } of subflow.exposed()) {
    if (control !== 0) continue;
    const found = cases.get(stream);
    if (!found) continue;
    const { ackedTo } = found.stream.sendBuffer;
    if (offset > ackedTo || offset + length <= ackedTo) continue;
    found.isShared ||= found.line !== undefined && found.line !== subflow;
    found.line = subflow;
    found.sentAt = sentAt;
  }
}

/**
 * Decides whether a line is to blame for a hold-up, and has it rest when that costs more than the line is worth. It is to
 * blame when it alone has the missing bytes, has had them for longer than it always takes, and does not rest already.
 */
function judge(state: SessionState, { stream, holdUp, line, sentAt, isShared }: Case): void {
  // The line's time runs from when it got the bytes, which may have been on another line before, plus its least round trip.
  holdUp.from = Math.max(holdUp.since, sentAt + (line?.model.minRtt ?? 0));
  const ms = state.now - holdUp.from;
  const isToBlame = line && !isShared && !line.holdUpAccount.isResting && ms >= patienceWith(line.model);
  holdUp.line = isToBlame ? line : undefined;
  if (!isToBlame || line.holdUpAccount.affords(heldUp(state, stream, line, holdUp.from), line.rate)) return;
  state.attention.wake(line);
  line.holdUpAccount.rest(state.now);
  state.emit({ type: "rest", subflow: line.id });
  surrender(state, line);
}

/** How long a line may hold up a reader, milliseconds. A long round trip excuses only a line that has a rate yet. */
function patienceWith({ measured, minRtt }: PathModel): number {
  return measured ? Math.max(HELD_UP, HELD_UP_SHARE * minRtt) : HELD_UP;
}

/** Bytes of the stream that other lines have brought, or could have, since `from`. */
function heldUp(state: SessionState, stream: Stream, line: Subflow, from: number): number {
  let rate = 0;
  for (const other of state.choice.usable) {
    const isOther = other !== line && !other.holdUpAccount.isResting;
    if (isOther && stream.onlyPaths?.has(other.path) !== false) rate += other.rate;
  }
  const most = stream.blocked ? Number.POSITIVE_INFINITY : stream.sendBuffer.held;
  return Math.min(most, ((state.now - from) * rate) / Math.max(1, state.fairQueue.size));
}
