import type { Socket } from "node:net";
import type { Logger } from "@hawser/gateway-kit";
import {
  adoptApplication,
  type BytesHandler,
  Flow,
  type FlowEvents,
  FlowSet,
  LimitedLog,
  type Refusals,
  SPEEDTEST_HOST,
} from "@hawser/gateway-kit";
import type { StreamRefusal, StreamRequest } from "@hawser/multipath-engine";
import { codeName, type Endpoint, type FlowKind, StreamCode } from "@hawser/shared-protocol";
import type { SessionKeeper } from "../session-keeper.ts";
import type { FailedDestinations } from "./failed-destinations.ts";
import type { FairShare, SharedFlow } from "./fair-share.ts";
import { Reach } from "./reach.ts";

/**
 * The remote gateway gives a destination up after 30 s; its answer may take long over lines that are full, milliseconds.
 */
export const ANSWER_DEADLINE_MS = 60_000;

/** Opens a flow for each captured connection, and keeps the open flows. */
export class FlowOpener {
  readonly #keeper: SessionKeeper;
  readonly #refusals: Refusals;
  readonly #log: LimitedLog;
  readonly #failed: Pick<FailedDestinations, "handleFailed" | "handleOpened"> | undefined;
  readonly share: FairShare;
  readonly flows = new FlowSet();
  readonly reach = new Reach();
  #draining = false;

  /** `failed` hears whether destinations were reached. */
  constructor(
    keeper: SessionKeeper,
    share: FairShare,
    refusals: Refusals,
    logger: Logger,
    failed?: Pick<FailedDestinations, "handleFailed" | "handleOpened">,
  ) {
    this.#keeper = keeper;
    this.share = share;
    this.#refusals = refusals;
    this.#log = new LimitedLog(logger);
    this.#failed = failed;
  }

  /** From now on every new flow is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Opens a flow for a connection that a listener has accepted, or closes it. */
  openAccepted(kind: FlowKind, destination: Endpoint, accepted: Socket): void {
    let flow: Flow | undefined;
    const socket = this.adopt(accepted, (bytes, release) => flow?.handleBytes(bytes, release) ?? true);
    const opened = socket && this.open(kind, destination, socket);
    if (opened instanceof Flow) flow = opened;
    else socket?.resetAndDestroy();
  }

  /** The accepted connection, read with pooled buffers from now on; undefined when it has gone or none can be had. */
  adopt(accepted: Socket, onBytes: BytesHandler): Socket | undefined {
    try {
      return adoptApplication(accepted, onBytes);
    } catch (error) {
      this.#log.write("adopt", "warn", { err: error }, "could not take over a connection");
      return undefined;
    }
  }

  /** Opens a flow for `socket`, or says why not; the caller refuses. */
  open(kind: FlowKind, destination: Endpoint, socket: Socket, events: FlowEvents = {}): Flow | StreamCode {
    if (this.#draining) return StreamCode.shutdown;
    // The speed test's streams go over lines that are dear, if told: its name is the gateway's own.
    if (destination.host === SPEEDTEST_HOST) return StreamCode.notAllowed;
    const source = { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 };
    const request = { kind, destination, source };
    if (this.reach.isCutOff) {
      const message = "refused a flow: no path to the remote gateway is up";
      this.#refusals.note({ listener: kind, reason: "unreachable" }, "warn", request, message);
      return StreamCode.networkUnreachable;
    }
    if (!this.share.admit(source.host, performance.now())) {
      this.#noteRefusal(request, "share", "refused a flow: others need what room is left");
      return StreamCode.overloaded;
    }
    const { driver } = this.#keeper;
    const stream = driver.open(request);
    if (stream === undefined) {
      this.#noteRefusal(request, driver.session.whyFull, "refused a flow: the session has no room for it");
      return StreamCode.overloaded;
    }
    let isAnswered = false;
    /** There was no answer, which says nothing about the destination. */
    const drop = (code: StreamCode): void => {
      isAnswered = true;
      driver.reset(stream, code);
      flow.handleReset(code);
    };
    const shared: SharedFlow = {
      source: source.host,
      displace: () => {
        this.#noteRefusal(request, "share", "gave up a flow that was being dialled: others need its room");
        drop(StreamCode.overloaded);
      },
    };
    const refuse = (): void => drop(StreamCode.networkUnreachable);
    const deadline = setTimeout(() => drop(StreamCode.timeout), ANSWER_DEADLINE_MS);
    const flow = new Flow(driver, stream, request, socket, {
      ...events,
      onOpened: (bound) => {
        isAnswered = true;
        clearTimeout(deadline);
        this.#failed?.handleOpened(destination);
        this.share.handleOpened(shared);
        events.onOpened?.(bound);
      },
      onReset: (code) => {
        this.#noteReset({ session: driver.name, flow: stream, ...request }, code);
        // Before its socket is reset: the client's next try comes at once. SOCKS clients are told themselves.
        if (kind === "redirect" && !isAnswered) this.#failed?.handleFailed(destination, code);
        return events.onReset?.(code) ?? false;
      },
      onOver: () => {
        clearTimeout(deadline);
        this.flows.delete(flow);
        this.share.remove(shared);
        this.reach.forget(refuse);
        events.onOver?.();
      },
    });
    this.flows.add(flow);
    driver.adopt(stream, flow);
    this.share.add(shared, performance.now());
    this.reach.watch(refuse);
    return flow;
  }

  /**
   * One client can have thousands of flows fail in a minute: a line each would leave room for nothing else in the log.
   */
  #noteReset(
    flow: StreamRequest & { readonly session: string; readonly flow: number },
    code: StreamCode,
  ): void {
    if (code === StreamCode.reset) return;
    const reason = codeName(StreamCode, code);
    // A newer remote's codes are many; those without a name are one kind.
    const kind = reason in StreamCode ? reason : "other";
    this.#log.write(`${flow.kind} ${kind}`, "info", { ...flow, reason }, "flow refused or cut");
  }

  /** Without a reason the session has just ended, and the next one is not there yet. */
  #noteRefusal(request: StreamRequest, reason: StreamRefusal | "share" | undefined, message: string): void {
    this.#refusals.note({ listener: request.kind, reason: reason ?? "no-session" }, "warn", request, message);
    if (reason) this.#keeper.noteRefused(reason);
  }
}

/** An IPv4 client of a dual-stack listener shows as `::ffff:192.0.2.1`. */
function plainHost(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}
