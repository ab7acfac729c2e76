import type { Endpoint, FlowKind, StreamCode } from "@hawser/shared-protocol";
import { INITIAL_CREDIT } from "@hawser/shared-protocol";
import type { MemoryBudget } from "./memory-budget.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { SendBuffer } from "./send-buffer.ts";

/** What a stream is for. */
export interface StreamRequest {
  readonly kind: FlowKind;
  readonly destination: Endpoint;
  /** Who asked, as seen by the local gateway. */
  readonly source: Endpoint;
}

/** Bytes of a stream that went over one path. */
export interface PathShare {
  sent: number;
  received: number;
}

/**
 * One flow inside the session: two directions, each with its own end.
 *
 * A direction ends by FIN (`finalOffset` known and reached); both ended and acknowledged, the stream is over. RESET ends
 * both at once.
 */
export class Stream {
  readonly id: number;
  /** Unknown at the remote until OPEN has come. */
  request: StreamRequest | undefined;
  /** The remote's answer to OPEN: where its connection is bound. */
  bound: Endpoint | undefined;
  /** Our OPENED is not acknowledged: without it the peer's application is told of nothing, not even of the end. */
  owesOpened = false;

  readonly sendBuffer = new SendBuffer();
  /** Credit given by the peer: the offset up to which we may send. */
  sendLimit = INITIAL_CREDIT;
  /** The application has written its last byte. */
  ended = false;
  /** FIN was sent, or is about to be. */
  finQueued = false;
  finAcked = false;
  /** The application was told to stop writing and waits for a "writable" event. */
  blocked = false;

  readonly reorder = new ReorderBuffer();
  readonly window: ReceiveWindow;
  /** Where the peer's bytes end; known once its FIN has come. */
  finalOffset: number | undefined;
  finTaken = false;
  /** A "readable" event is on its way to the application. */
  announced = false;
  /** Highest offset received so far. */
  receivedEnd = 0;

  /** Its data goes over these paths alone, whatever their roles; undefined: over all that their roles let carry. */
  onlyPaths: ReadonlySet<string> | undefined;
  /** The gateways' own (a speed test): it counts as no flow. */
  isOwn = false;
  /** It is to be reset with this code once the peer has all that was written. */
  resetsWith: StreamCode | undefined;
  /** The peer has reset it; what came in order before is still to be read. */
  isResetting = false;
  /** Stream frames waiting to be sent: a set of `Control` bits. */
  pending = 0;
  readonly shares = new Map<string, PathShare>();

  /** @param onShed ends the stream: the memory that its received bytes take is needed for others */
  constructor(
    id: number,
    request: StreamRequest | undefined,
    budget: MemoryBudget,
    now: number,
    onShed: (stream: Stream) => void,
  ) {
    this.id = id;
    this.request = request;
    this.window = new ReceiveWindow(budget, now, () => onShed(this));
  }

  /** Bytes that could be sent now. */
  get sendable(): number {
    return this.sendBuffer.sendable(this.sendLimit);
  }

  /**
   * Bytes that the scheduler counts as still to be sent. They are infinite while the application waits to write more and the
   * peer's credit covers what is written. Where credit is short they are not: a slow line must not spend it on bytes that
   * come too late.
   */
  get backlog(): number {
    const isUnlimited = this.blocked && this.sendLimit >= this.sendBuffer.end;
    return isUnlimited ? Number.POSITIVE_INFINITY : this.sendable;
  }

  /** FIN may go out: everything before it has been sent at least once. */
  get isFinReady(): boolean {
    return this.ended && this.sendBuffer.nextOffset === this.sendBuffer.end;
  }

  /** All that the peer sent was read, and consumed: until then it is memory of this side. */
  get isReceiveDone(): boolean {
    return this.finTaken && this.window.consumed === this.finalOffset;
  }

  /** All that has come in order was read and consumed. */
  get isConsumed(): boolean {
    return this.window.consumed === this.reorder.frontier;
  }

  get isSendDone(): boolean {
    return this.finAcked && this.isDelivered;
  }

  /** The peer has all that was written so far. */
  get isDelivered(): boolean {
    return !this.owesOpened && this.sendBuffer.held === 0;
  }

  share(path: string): PathShare {
    let share = this.shares.get(path);
    if (!share) this.shares.set(path, (share = { sent: 0, received: 0 }));
    return share;
  }
}
