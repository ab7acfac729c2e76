import {
  HELD_UP,
  HELD_UP_SHARE,
  HOLD_UP_CREDIT,
  HOLD_UP_LOOK,
  REST,
  REST_FORGIVEN,
  REST_MAX,
} from "./parameters.ts";
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

/** Whether one line is worth its hold-ups: what it carries earns them. */
export class HoldUpAccount {
  /** Bytes that it may still hold up; undefined: all that `HOLD_UP_CREDIT` allows. */
  #credit: number | undefined;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #rest = REST;

  isResting(now: number): boolean {
    return now < this.#restsUntil;
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
    this.#rest = Math.min(REST_MAX, 2 * this.#rest);
    this.#credit = undefined;
  }
}

/** The streams of one session that wait, at the peer, for bytes that others have overtaken. */
export class HoldUps {
  readonly #streams = new Set<Stream>();
  #lookAt = Number.POSITIVE_INFINITY;

  /** Some of the stream's bytes were acknowledged; `moved`: those that the peer's reader waited for. */
  handleAcknowledged(state: SessionState, stream: Stream, moved: boolean): void {
    if (moved) this.#end(state, stream);
    if (!stream.sendBuffer.hasGap || stream.heldUpSince !== undefined) return;
    stream.heldUpSince = state.now;
    this.#streams.add(stream);
    this.#lookAt = Math.min(this.#lookAt, state.now + HELD_UP);
  }

  #end(state: SessionState, stream: Stream): void {
    const { heldUpBy: line } = stream;
    if (line) line.holdUps.charge(heldUp(state, stream, line), line.rate);
    this.forget(stream);
  }

  forget(stream: Stream): void {
    stream.heldUpSince = undefined;
    stream.heldUpBy = undefined;
    this.#streams.delete(stream);
  }

  nextTimeout(): number {
    return this.#lookAt;
  }

  /** Takes the time in: a stream may have been held up for longer than its line is worth. */
  handleTime(state: SessionState): void {
    if (state.now < this.#lookAt) return;
    this.#lookAt = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) {
      const dueAt = (stream.heldUpSince as number) + HELD_UP;
      if (dueAt <= state.now) judge(state, stream);
      this.#lookAt = Math.min(this.#lookAt, Math.max(dueAt, state.now + HOLD_UP_LOOK));
    }
  }
}

function judge(state: SessionState, stream: Stream): void {
  const line = holder(state, stream);
  stream.heldUpBy = line;
  if (!line) return;
  const ms = state.now - (stream.heldUpSince as number);
  if (ms < HELD_UP_SHARE * line.model.minRtt) return;
  if (line.holdUps.affords(heldUp(state, stream, line), line.rate)) return;
  line.holdUps.rest(state.now);
  line.isResting = true;
  surrender(state, line);
}

/** The one line that has what the stream's reader waits for; undefined when it was given to others as well. */
function holder(state: SessionState, { id, sendBuffer }: Stream): Subflow | undefined {
  let found: Subflow | undefined;
  for (const subflow of state.subflows.values()) {
    for (const { stream, control, offset, length, end } of subflow.ledger.unacked()) {
      if (stream !== id || control !== 0 || end <= subflow.surrenderedTo) continue;
      if (offset > sendBuffer.ackedTo || offset + length <= sendBuffer.ackedTo) continue;
      if (found) return undefined;
      found = subflow;
      break;
    }
  }
  return found;
}

/** Bytes that the other lines have brought, or could have, since the stream was held up. */
function heldUp(state: SessionState, stream: Stream, line: Subflow): number {
  const others = state.roles.usable(state.subflows.values()).filter((other) => other !== line);
  const rate = others.reduce((sum, other) => sum + other.rate, 0);
  const ms = state.now - (stream.heldUpSince ?? state.now);
  return (ms * rate) / Math.max(1, state.fairQueue.size);
}
