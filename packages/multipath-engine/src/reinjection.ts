import { Control, type SentFrame } from "./ledger.ts";
import type { LivenessState } from "./liveness.ts";
import { isLiving } from "./role-policy.ts";
import type { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";
import type { Subflow } from "./subflow.ts";

/**
 * What becomes of frames after they were sent: settled by an acknowledgement, or given to other lines when theirs is
 * suspect or gone. A subflow is reliable, so nothing is sent again merely because a timer says that it is late
 * on the same line.
 */

/** Share of its limit to which a full send buffer must have emptied before the application is asked for more. */
const WRITABLE_BELOW = 0.75;

/** `frame` has arrived at the peer. */
export function settleFrame(state: SessionState, frame: SentFrame): void {
  if (frame.stream < 0) return;
  if (frame.control === Control.gone) {
    state.gone.delete(frame.stream);
    return;
  }
  if (frame.control === Control.reset) {
    state.resets.delete(frame.stream);
    state.pendingControl.delete(frame.stream);
    return;
  }
  const stream = state.streams.get(frame.stream);
  if (!stream) return;
  if (frame.control === 0) {
    const { memory: before, ackedTo } = stream.sendBuffer;
    stream.sendBuffer.acknowledge(frame.offset, frame.offset + frame.length);
    state.budget.holdToSend(stream.sendBuffer.memory - before);
    state.holdUps.handleAcknowledged(state, stream, stream.sendBuffer.ackedTo > ackedTo);
    if (stream.blocked && stream.sendBuffer.held < state.sendBufferLimit * WRITABLE_BELOW) {
      stream.blocked = false;
      state.emit({ type: "writable", stream: stream.id });
    }
  } else if (frame.control === Control.fin) {
    stream.finAcked = true;
  } else if (frame.control === Control.opened) {
    stream.owesOpened = false;
  }
  state.finishIfDone(stream);
}

/**
 * Everything unacknowledged on a suspect or lost subflow is to be sent again on others, save what a copy is under way of.
 * Exempt from any budget: without it the streams stand still.
 */
export function surrender(state: SessionState, subflow: Subflow): void {
  for (const frame of subflow.exposed()) if (!hasCopy(state, subflow, frame)) loseFrame(state, frame);
  subflow.surrenderedTo = subflow.ledger.sent;
}

/**
 * Whether all of the frame is under way on other lines as well, as copies: on lines that make progress, are not late, and have
 * not been surrendered since they took their part.
 */
function hasCopy(state: SessionState, subflow: Subflow, { copy, length }: SentFrame): boolean {
  if (copy?.bytes !== length) return false;
  for (const [id, end] of copy.ends) {
    const other = state.subflows.get(id);
    if (!other || other === subflow || !isLiving(other)) return false;
    if (end <= other.surrenderedTo || other.lateness(state.now) > 0) return false;
  }
  return true;
}

/** All of the frame was copied. It holds for a frame other than DATA, of length 0, once it was queued again. */
function isCopied({ copy, length }: SentFrame): boolean {
  return copy?.bytes === length;
}

/** The suspect subflow makes progress again: what it has under way and no other line has sent yet stays with it. */
function regain(state: SessionState, subflow: Subflow): void {
  subflow.surrenderedTo = 0;
  for (const frame of subflow.ledger.unacked()) {
    if (frame.control === 0)
      state.streams.get(frame.stream)?.sendBuffer.regain(frame.offset, frame.offset + frame.length);
  }
}

/** `subflow` has made progress: its state, which was `before`, may be another now. */
export function handleLiveness(state: SessionState, subflow: Subflow, before: LivenessState): void {
  const after = subflow.liveness.state;
  if (after === before) return;
  if (before === "suspect" && state.choice.usable.has(subflow)) regain(state, subflow);
  state.emit({ type: "subflow", subflow: subflow.id, state: after });
}

/**
 * Copies of what stands on lines that are late, for `subflow`, which has room: once for each frame, the oldest first,
 * and never of what is merely on its way. A line that is late for good becomes suspect after at least 150 ms; a small
 * flow on it, or a stream's last bytes, need not wait for that. Only what is less than `near` bytes beyond what the peer
 * has without a gap: all of it where there is nothing new to send, otherwise what holds up a stream's reader.
 */
export function copyLate(
  state: SessionState,
  subflow: Subflow,
  late: readonly Subflow[],
  now: number,
  near: number,
  send: SendCopy,
): void {
  if (subflow.lateness(now) > 0) return;
  for (const other of late) {
    if (!isLiving(other)) continue;
    for (const frame of other.exposed()) {
      if (isCopied(frame) || frame.stream < 0) continue;
      const stream = state.streams.get(frame.stream);
      if (frame.control === 0 && stream?.onlyPaths?.has(subflow.path) === false) continue;
      if (stream && frame.offset >= stream.sendBuffer.ackedTo + near) continue;
      if (frame.control !== 0) {
        if (frame.size > subflow.copyRoom) return;
        // Queued again once, in its present form. Its "copy" is the frame itself, so a line that fails queues it anew.
        frame.copy = { bytes: 0, ends: new Map([[other.id, frame.end]]) };
        loseFrame(state, frame);
      } else if (stream && !copyData(state, subflow, frame, stream, send)) return;
    }
  }
}

/** Sends `length` bytes of the stream from `offset` on once more. */
type SendCopy = (stream: Stream, offset: number, length: number) => void;

/**
 * Sends a frame's bytes in chunks of the line that takes them: a faster line's frame may be larger than all the room that
 * this one ever has. False if there was not enough for all of it; the rest follows.
 */
function copyData(
  state: SessionState,
  subflow: Subflow,
  frame: SentFrame,
  stream: Stream,
  send: SendCopy,
): boolean {
  const header = frame.size - frame.length;
  const copy = (frame.copy ??= { bytes: 0, ends: new Map() });
  while (copy.bytes < frame.length) {
    const offset = frame.offset + copy.bytes;
    // Segments may be so small that no chunk holds more than a header.
    const length = Math.min(frame.length - copy.bytes, Math.max(1, subflow.chunk - header));
    if (!stream.sendBuffer.isAcknowledged(offset, length)) {
      if (length + header > subflow.copyRoom || length > state.copyCredit) return false;
      send(stream, offset, length);
      if (!copy.ends.has(subflow.id)) copy.ends.set(subflow.id, subflow.ledger.sent);
    }
    copy.bytes += length;
  }
  return true;
}

function loseFrame(state: SessionState, frame: SentFrame): void {
  if (frame.stream < 0) return;
  if (frame.control === Control.gone) {
    const gone = state.gone.get(frame.stream);
    if (gone) gone.isDue = true;
    return;
  }
  if (frame.control === Control.reset) {
    if (state.resets.has(frame.stream)) state.pendingControl.add(frame.stream);
    return;
  }
  const stream = state.streams.get(frame.stream);
  if (!stream) return;
  if (frame.control === 0) {
    stream.sendBuffer.lose(frame.offset, frame.offset + frame.length);
    state.queueToSend(stream);
  } else {
    state.queueControl(stream, frame.control);
  }
}
