import { Control, type SentFrame } from "./ledger.ts";
import type { SessionState } from "./state.ts";
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
  if (frame.control === Control.reset) {
    state.resets.delete(frame.stream);
    return;
  }
  if (frame.control === 0) state.noteSettled(frame.stream);
  const stream = state.streams.get(frame.stream);
  if (!stream) return;
  if (frame.control === 0) {
    const freed = stream.sendBuffer.acknowledge(frame.offset, frame.offset + frame.length);
    state.heldToSend -= freed;
    if (stream.blocked && stream.sendBuffer.held < state.sendBufferLimit * WRITABLE_BELOW) {
      stream.blocked = false;
      state.emit({ type: "writable", stream: stream.id });
    }
  } else if (frame.control === Control.fin) {
    stream.finAcked = true;
  }
  state.finishIfDone(stream);
}

/**
 * Everything unacknowledged on a suspect or lost subflow is to be sent again on others. Exempt from any budget:
 * without it the streams stand still.
 */
export function surrender(state: SessionState, subflow: Subflow): void {
  if (subflow.surrendered) return;
  subflow.surrendered = true;
  for (const frame of subflow.ledger.unacked()) loseFrame(state, frame);
}

/** The subflow's connection is gone, and with it whatever waited in it. */
export function abandon(state: SessionState, subflow: Subflow): void {
  surrender(state, subflow);
  for (const frame of subflow.ledger.unacked()) {
    if (frame.stream >= 0 && frame.control === 0) state.noteSettled(frame.stream);
  }
}

/** The suspect subflow makes progress again: what it still has under way is not sent elsewhere as well. */
export function regain(state: SessionState, subflow: Subflow): void {
  subflow.surrendered = false;
  for (const frame of subflow.ledger.unacked()) {
    if (frame.control === 0)
      state.streams.get(frame.stream)?.sendBuffer.regain(frame.offset, frame.offset + frame.length);
  }
}

function loseFrame(state: SessionState, frame: SentFrame): void {
  if (frame.stream < 0) return;
  if (frame.control === Control.reset) {
    if (state.resets.has(frame.stream)) state.pendingControl.push(frame.stream);
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
