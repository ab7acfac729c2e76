import { dataHeaderLength, type Frame, MAX_PAYLOAD } from "@hawser/shared-protocol";
import { Control } from "./ledger.ts";
import { copyLate } from "./reinjection.ts";
import { isLiving } from "./role-policy.ts";
import { Competition, type Rival, rivalOf } from "./scheduler.ts";
import type { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";
import type { Subflow } from "./subflow.ts";
import type { Turn } from "./turn.ts";

/** Bytes of one turn on one subflow at most: one gathered write that does not keep the other lines waiting. */
const TURN_BYTES = 262_144;

/** The frames that `subflow` should send now, as buffers for one gathered write; undefined when there are none. */
export function transmit(state: SessionState, subflow: Subflow, turn: Turn): Buffer[] | undefined {
  const { now } = turn;
  sendOwnFrames(state, subflow, now);
  if (isLiving(subflow)) sendReports(state, subflow, turn);
  if (turn.uses(subflow)) {
    if (state.hasSessionFrames && turn.isEarliest(subflow)) sendSessionFrames(state, subflow, now);
    sendData(state, subflow, turn);
    state.roles.noteWaiting(state.isWaiting);
  } else if (state.restricted.size > 0 && isLiving(subflow)) {
    sendData(state, subflow, turn);
  } else {
    subflow.model.handleAppLimited(subflow.unackedBytes, now);
  }
  if (subflow.receipt.ackDueAt <= now || (subflow.receipt.isAckPending && state.encoder.length > 0))
    sendAck(state, subflow, now);
  if (state.encoder.length === 0) return undefined;
  turn.handleSent(subflow);
  return state.encoder.take();
}

/** Frames that concern this subflow itself. */
function sendOwnFrames(state: SessionState, subflow: Subflow, now: number): void {
  if (subflow.roleChanged) {
    subflow.roleChanged = false;
    append(state, subflow, { type: "path", role: subflow.role }, -1, 0, now);
  }
  const { frame: egress } = state.egress;
  if (subflow.egressDue && egress) {
    subflow.egressDue = false;
    append(state, subflow, egress, -1, 0, now);
  }
  if (subflow.peerAllowance !== undefined) {
    append(state, subflow, { type: "allowance", limit: subflow.peerAllowance }, -1, 0, now);
    subflow.peerAllowance = undefined;
  }
  if (subflow.liveness.takePing(now)) append(state, subflow, { type: "ping" }, -1, 0, now);
}

/** Tells how much has come on lines that have brought nothing for a while although readers wait for their bytes (ARRIVED). */
function sendReports(state: SessionState, subflow: Subflow, { living, now }: Turn): void {
  for (const { id, receipt } of state.arrivalReports.take(subflow, living)) {
    const received = receipt.takeReport();
    append(state, subflow, { type: "arrived", subflow: id, received }, -1, 0, now);
  }
}

/**
 * GONE, and the streams' frames other than DATA. They are few and small, so the earliest line takes them whether it has room or
 * not, unless too many frames are unacknowledged on it.
 */
function sendSessionFrames(state: SessionState, subflow: Subflow, now: number): void {
  for (const [id, gone] of state.gone) {
    if (!gone.isDue) continue;
    gone.isDue = false;
    const { received, role } = gone;
    append(state, subflow, { type: "gone", subflow: id, received, role }, id, Control.gone, now);
  }
  for (const id of state.pendingControl) {
    if (subflow.isFull) return;
    state.pendingControl.delete(id);
    const code = state.resets.get(id);
    if (code !== undefined) {
      append(state, subflow, { type: "reset", stream: id, code }, id, Control.reset, now);
      continue;
    }
    const stream = state.streams.get(id);
    if (stream) sendControls(state, subflow, stream, now);
  }
}

function sendControls(state: SessionState, subflow: Subflow, stream: Stream, now: number): void {
  const { pending, id } = stream;
  stream.pending = 0;
  if (pending & Control.open && stream.request) {
    append(state, subflow, { type: "open", stream: id, ...stream.request }, id, Control.open, now);
  }
  if (pending & Control.opened && stream.bound) {
    append(state, subflow, { type: "opened", stream: id, bound: stream.bound }, id, Control.opened, now);
  }
  if (pending & Control.credit && stream.finalOffset === undefined) {
    const limit = stream.window.limit;
    append(state, subflow, { type: "credit", stream: id, limit }, id, Control.credit, now);
  }
  if (pending & Control.fin && !stream.finAcked) {
    append(state, subflow, { type: "fin", stream: id, offset: stream.sendBuffer.end }, id, Control.fin, now);
  }
}

function append(
  state: SessionState,
  subflow: Subflow,
  frame: Frame,
  stream: number,
  control: Control | 0,
  now: number,
): void {
  subflow.recordControl(stream, control, state.encoder.append(frame), now);
}

/** Returns its size, bytes. */
function sendAck(state: SessionState, subflow: Subflow, now: number): number {
  const size = state.encoder.append(subflow.receipt.takeAck(now));
  subflow.recordAck(size);
  return size;
}

/**
 * Fills the line's room with chunks, stream by stream in the fair queue's order. A line that is not `usable` by its role
 * takes only streams that are restricted to it.
 */
function sendData(state: SessionState, subflow: Subflow, turn: Turn): void {
  const { now } = turn;
  const isUsed = turn.uses(subflow);
  if (isUsed && subflow.copyRoom >= subflow.chunk) sendCopies(state, subflow, turn, subflow.model.cap);
  let common: Competition | undefined;
  const competitionFor = ({ onlyPaths }: Stream): Competition => {
    if (onlyPaths) return new Competition(subflow, rivalsOn(turn, onlyPaths), now);
    common ??= new Competition(subflow, turn.rivals, now);
    return common;
  };
  // Streams that this line is not to take a chunk of in this turn: they had better wait for a faster line. What the line
  // takes meanwhile only makes it later, so they need not be asked twice.
  const passed = new Set<number>();
  const serves = (id: number): boolean => {
    if (passed.has(id)) return false;
    const isServed = isFor(state.streams.get(id) as Stream);
    if (!isServed) passed.add(id);
    return isServed;
  };
  const isFor = (stream: Stream): boolean => {
    const { id, backlog, onlyPaths } = stream;
    if (onlyPaths ? !onlyPaths.has(subflow.path) : !isUsed) return false;
    return competitionFor(stream).allows(backlog, () => state.bytesAhead(id, backlog));
  };
  while (state.encoder.length < TURN_BYTES) {
    // The line waits until there is room for a whole chunk: filling every little room would make many small frames. New and
    // sparse streams do not wait for that.
    const { room } = subflow;
    const isFull = room < subflow.chunk;
    const id = room >= 0 ? state.fairQueue.next(serves, isFull) : undefined;
    if (id === undefined && isFull) {
      return awaitRoom(state, subflow, turn);
    }
    if (id === undefined) {
      subflow.model.handleAppLimited(subflow.unackedBytes, now);
      if (!isUsed) return;
      sendCopies(state, subflow, turn, Number.POSITIVE_INFINITY);
      if (subflow.room < subflow.chunk) awaitRoom(state, subflow, turn);
      return;
    }
    const size = subflow.chunk;
    // Before the data, behind which it would wait for the line, and in the same record.
    const ack = subflow.receipt.isAckPending ? sendAck(state, subflow, now) : 0;
    const stream = state.streams.get(id) as Stream;
    if (!sendChunk(state, subflow, stream, competitionFor(stream), size - ack, now)) passed.add(id);
  }
}

/** The line has no room. If new data waits for it, or copies of what is late on other lines do, it is to be looked at again. */
function awaitRoom(state: SessionState, subflow: Subflow, { now, late }: Turn): void {
  const mayCopy = late.length > 0 && subflow.lateness(now) === 0;
  if (state.fairQueue.size > 0 || mayCopy) subflow.awaitRoom(now);
}

/** The living lines of these paths, as they stand now. */
function rivalsOn({ living, now }: Turn, paths: ReadonlySet<string>): Rival[] {
  const lines = living.filter((line) => paths.has(line.path) && isLiving(line));
  return lines.map((line) => rivalOf(line, now));
}

/**
 * Sends copies of what is late on other lines, as far as it begins less than `near` bytes behind what the peer's reader waits
 * for. Before new data that is the line's cap; all of it is copied when there is nothing new to send.
 */
function sendCopies(state: SessionState, subflow: Subflow, { late, now }: Turn, near: number): void {
  copyLate(state, subflow, late, now, near, (stream, offset, length) => {
    const chunk = stream.sendBuffer.read(offset, length);
    const size = state.encoder.appendData(stream.id, offset, chunk.payload);
    state.noteSent(stream, subflow, chunk, size, "copy");
  });
  sendSessionFrames(state, subflow, now);
}

/**
 * One chunk of the stream's next bytes, of `size` with its frame; a slow line works ahead, so that its bytes are there
 * when their turn comes. False if there is none for this line.
 */
function sendChunk(
  state: SessionState,
  subflow: Subflow,
  stream: Stream,
  competition: Competition,
  size: number,
  now: number,
): boolean {
  const { id, sendBuffer } = stream;
  // Segments may be so small that no chunk holds more than a header.
  const most = Math.min(MAX_PAYLOAD, Math.max(1, size - dataHeaderLength(id, sendBuffer.end, size)));
  const lead = Math.round(competition.lead(stream.backlog) / Math.max(1, state.fairQueue.size));
  const chunk = sendBuffer.take(most, stream.sendLimit, { lead, line: subflow });
  if (chunk) {
    const { offset, payload } = chunk;
    const framed = state.encoder.appendData(id, offset, payload);
    state.noteSent(stream, subflow, chunk, framed, chunk.isAgain ? "again" : "new");
    state.fairQueue.charge(id, framed);
  }
  if (stream.sendable > 0) return chunk !== undefined;
  state.fairQueue.idle(id);
  state.queueToSend(stream);
  // The FIN goes right behind its data; the earliest line may have been asked before and not be asked again.
  if (stream.pending & Control.fin) sendControls(state, subflow, stream, now);
  return true;
}
