import {
  CloseCode,
  type CloseScope,
  type Frame,
  type FrameOf,
  type FrameSink,
  MAX_VARINT,
  type PathRole,
  type WireError,
} from "@hawser/shared-protocol";
import { MAX_RUNS } from "./limits.ts";
import { MAX_PEER_STREAMS } from "./parameters.ts";
import { takeReset } from "./peer-reset.ts";
import { handleLiveness, settleFrame } from "./reinjection.ts";
import type { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";
import type { Subflow } from "./subflow.ts";

/** An error in the session's own state (credit, final offset): the whole session ends, not only the subflow. */
export const SESSION_ERRORS: ReadonlySet<CloseCode> = new Set([
  CloseCode.flowControl,
  CloseCode.finalSize,
  CloseCode.streamLimit,
]);

/** What a frame may end. */
export interface Closer {
  close(code: CloseCode, reason: string, now: number): void;
  closeSubflow(id: number, code: CloseCode, reason: string, now: number): void;
}

/** What the peer's frames on one subflow do to the session. */
export class FrameReceiver implements FrameSink {
  readonly #state: SessionState;
  readonly #subflow: Subflow;
  readonly #closer: Closer;
  #now = 0;

  constructor(state: SessionState, subflow: Subflow, closer: Closer) {
    this.#state = state;
    this.#subflow = subflow;
    this.#closer = closer;
  }

  /** Decodes what came. An error closes the subflow or the session; nothing is thrown. */
  handleBytes(bytes: Uint8Array, now: number): void {
    this.#now = now;
    this.#subflow.receipt.handleReceived(bytes.length, now);
    this.#state.arrivalReports.handleReceived(this.#subflow);
    const error = this.#subflow.decoder.decode(bytes, this);
    if (error) this.#fail(SESSION_ERRORS.has(error.code) ? "session" : "subflow", error.code, error.reason);
    else this.#subflow.receipt.handleTaken();
  }

  /** A frame before this one, in the same piece, has ended the subflow or the session. */
  get #isOver(): boolean {
    const { closed, subflows } = this.#state;
    return closed !== undefined || subflows.get(this.#subflow.id) !== this.#subflow;
  }

  handleFrame(frame: Frame): WireError | undefined {
    if (this.#isOver) return undefined;
    if (frame.type === "ack") return this.#handleAck(frame);
    this.#subflow.requestAck(frame.type === "ping", this.#now);
    if ("stream" in frame) this.#state.arrivalReports.handleStreamFrame(this.#subflow);
    switch (frame.type) {
      case "open":
        return this.#handleOpen(frame);
      case "opened":
        return this.#handleOpened(frame);
      case "fin":
        return this.#handleFin(frame);
      case "reset":
        return this.#handleReset(frame);
      case "credit":
        return this.#handleCredit(frame);
      case "ping":
        return undefined;
      case "path":
        return this.#handlePath(frame);
      case "gone":
        return this.#handleGone(frame);
      case "allowance":
        return this.#handleAllowance(frame);
      case "arrived":
        return this.#handleArrived(frame);
      case "egress":
        return this.#handleEgress(frame);
      case "close":
        return this.#handleClose(frame);
      default:
        return { code: CloseCode.protocol, reason: `${frame.type} in the middle of a subflow` };
    }
  }

  #handleAck(frame: Extract<Frame, { type: "ack" }>): WireError | undefined {
    const before = this.#subflow.liveness.state;
    const { acked } = this.#subflow.ledger;
    const error = this.#subflow.handleAck(frame, this.#now, (sent) => settleFrame(this.#state, sent));
    this.#state.acked += this.#subflow.ledger.acked - acked;
    // While frames were settled, the line was as before.
    this.#state.attention.wake(this.#subflow);
    handleLiveness(this.#state, this.#subflow, before);
    return error;
  }

  handleData(id: number, offset: number, piece: Uint8Array): WireError | undefined {
    if (this.#isOver) return undefined;
    this.#subflow.requestAck(false, this.#now);
    this.#state.arrivalReports.handleStreamFrame(this.#subflow);
    const stream = this.#find(id);
    if (!stream) return this.#unknown(id);
    const end = offset + piece.length;
    if (end > stream.window.limit) {
      return {
        code: CloseCode.flowControl,
        reason: `stream ${id}: DATA up to ${end}, credit ${stream.window.limit}`,
      };
    }
    if (stream.finalOffset !== undefined && end > stream.finalOffset) {
      return {
        code: CloseCode.finalSize,
        reason: `stream ${id}: DATA up to ${end}, final ${stream.finalOffset}`,
      };
    }
    stream.receivedEnd = Math.max(stream.receivedEnd, end);
    const frontier = stream.reorder.frontier;
    const fresh = stream.reorder.insert(offset, piece);
    if (fresh === 0) {
      this.#state.arrivalReports.noteRepeat(this.#now);
      return undefined;
    }
    const { frontier: inOrder, early, earlyRuns } = stream.reorder;
    stream.window.handleReceived(inOrder + early, early, earlyRuns);
    this.#state.arrivalReports.noteGap(stream, early > 0);
    stream.share(this.#subflow.path).received += fresh;
    this.#state.totals.received += fresh;
    if (earlyRuns > MAX_RUNS) this.#state.shed(stream);
    else if (inOrder > frontier) this.#announce(stream);
    this.#state.budget.relieve();
    return undefined;
  }

  #handleOpen(frame: FrameOf<"open">): WireError | undefined {
    if (this.#state.side !== "remote")
      return { code: CloseCode.protocol, reason: "OPEN from a remote gateway" };
    const stream = this.#find(frame.stream);
    if (!stream) return this.#unknown(frame.stream);
    if (stream.request) return undefined;
    stream.request = { kind: frame.kind, destination: frame.destination, source: frame.source };
    this.#state.emit({ type: "open", stream: stream.id, request: stream.request });
    if (stream.reorder.held > 0 || stream.finalOffset === 0) this.#announce(stream);
    return undefined;
  }

  #handleOpened(frame: FrameOf<"opened">): WireError | undefined {
    if (this.#state.side !== "local")
      return { code: CloseCode.protocol, reason: "OPENED from a local gateway" };
    const stream = this.#find(frame.stream);
    if (!stream) return this.#unknown(frame.stream);
    if (stream.bound) return undefined;
    stream.bound = frame.bound;
    this.#state.emit({ type: "opened", stream: stream.id, bound: frame.bound });
    if (stream.reorder.held > stream.reorder.early || stream.finalOffset === 0) this.#announce(stream);
    return undefined;
  }

  #handleFin(frame: FrameOf<"fin">): WireError | undefined {
    const stream = this.#find(frame.stream);
    if (!stream) return this.#unknown(frame.stream);
    const known = stream.finalOffset;
    if ((known !== undefined && known !== frame.offset) || frame.offset < stream.receivedEnd) {
      return { code: CloseCode.finalSize, reason: `stream ${stream.id}: FIN at ${frame.offset}` };
    }
    if (known !== undefined) return undefined;
    stream.finalOffset = frame.offset;
    if (stream.reorder.frontier === frame.offset) this.#announce(stream);
    return undefined;
  }

  #handleReset(frame: FrameOf<"reset">): WireError | undefined {
    const stream = this.#find(frame.stream);
    if (!stream) return this.#unknown(frame.stream);
    takeReset(this.#state, stream, frame.code);
    return undefined;
  }

  #handleCredit(frame: FrameOf<"credit">): WireError | undefined {
    const stream = this.#find(frame.stream);
    if (!stream) return this.#unknown(frame.stream);
    if (frame.limit <= stream.sendLimit) return undefined;
    stream.sendLimit = frame.limit;
    this.#state.queueToSend(stream);
    return undefined;
  }

  #handlePath(frame: FrameOf<"path">): WireError | undefined {
    if (this.#state.side !== "remote")
      return { code: CloseCode.protocol, reason: "PATH from a remote gateway" };
    this.#takeRole(this.#subflow, frame.role);
    return undefined;
  }

  #takeRole(subflow: Subflow, role: PathRole): void {
    if (role === subflow.role) return;
    this.#state.attention.wake(subflow);
    subflow.role = role;
    if (!subflow.roleAnnounced) this.#state.emit({ type: "role", subflow: subflow.id });
    subflow.roleAnnounced = true;
  }

  /** GONE: a subflow has ended at the peer, and perhaps only there. What was under way on it goes to other lines now. */
  #handleGone(frame: FrameOf<"gone">): WireError | undefined {
    if (this.#state.side !== "remote")
      return { code: CloseCode.protocol, reason: "GONE from a remote gateway" };
    const error = this.#handleArrived(frame);
    if (error) return error;
    const line = this.#state.subflows.get(frame.subflow);
    if (!line) return undefined;
    this.#takeRole(line, frame.role);
    this.#closer.closeSubflow(line.id, CloseCode.unresponsive, "the local gateway has ended it", this.#now);
    return undefined;
  }

  /** ARRIVED: the peer tells on this line what has come to it on another one. */
  #handleArrived({ subflow, received }: FrameOf<"arrived"> | FrameOf<"gone">): WireError | undefined {
    const line = this.#state.subflows.get(subflow);
    return line?.handleArrived(received, (sent) => settleFrame(this.#state, sent));
  }

  #handleAllowance({ limit }: FrameOf<"allowance">): WireError | undefined {
    if (this.#state.side !== "remote")
      return { code: CloseCode.protocol, reason: "ALLOWANCE from a remote gateway" };
    this.#subflow.allowance = limit === MAX_VARINT ? Number.POSITIVE_INFINITY : limit;
    return undefined;
  }

  #handleEgress(frame: FrameOf<"egress">): WireError | undefined {
    if (this.#state.side !== "local")
      return { code: CloseCode.protocol, reason: "EGRESS from a local gateway" };
    if (this.#state.egress.handleFrame(frame)) this.#state.emit({ type: "egress", families: frame.families });
    return undefined;
  }

  #handleClose(frame: FrameOf<"close">): WireError | undefined {
    this.#fail(frame.scope, frame.code, `the peer says: ${frame.reason}`);
    return undefined;
  }

  #fail(scope: CloseScope, code: CloseCode, reason: string): void {
    if (scope === "session") this.#closer.close(code, reason, this.#now);
    else this.#closer.closeSubflow(this.#subflow.id, code, reason, this.#now);
  }

  /** The application may read: once OPEN has said what the stream is for, or OPENED that it leads somewhere. */
  #announce(stream: Stream): void {
    const isKnown = this.#state.side === "remote" ? stream.request : stream.bound;
    if (isKnown) this.#state.announce(stream);
  }

  /** The stream of this number; at the remote it comes to be with the first frame that names it. One reset is over. */
  #find(id: number): Stream | undefined {
    const stream = this.#state.streams.get(id);
    if (stream?.isResetting) return undefined;
    if (stream || this.#state.side === "local" || this.#state.seen.has(id)) return stream;
    const { streams, resets, seen } = this.#state;
    const kept = Math.max(streams.size + resets.size, seen.size);
    if (kept >= MAX_PEER_STREAMS || id === MAX_VARINT) return undefined;
    if (this.#state.budget.isSpent) this.#state.refuseStream(id, "memory");
    else if (!this.#state.newStreams.take(this.#now)) this.#state.refuseStream(id, "rate");
    else return this.#state.addStream(id, undefined, this.#now);
    return undefined;
  }

  /** A frame for no stream: late, for one that is over; or for one that cannot be. */
  #unknown(id: number): WireError | undefined {
    if (this.#state.seen.has(id)) return undefined;
    const reason =
      this.#state.side === "local" ? `a frame for stream ${id}, never opened` : "too many streams";
    return { code: this.#state.side === "local" ? CloseCode.protocol : CloseCode.streamLimit, reason };
  }
}
