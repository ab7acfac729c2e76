import type { Socket } from "node:net";
import type { StreamRefusal, StreamRequest } from "@hawser/shared-protocol/engine";
import {
  adoptApplication,
  type BytesHandler,
  Flow,
  type FlowEvents,
  FlowSet,
  type Logger,
  type Refusals,
  SPEEDTEST_HOST,
} from "@hawser/shared-protocol/node";
import { type Endpoint, type FlowKind, StreamCode } from "@hawser/shared-protocol/wire";
import type { SessionKeeper } from "../session-keeper.ts";

/** Makes flows of captured connections, and knows those that are open. */
export class FlowOpener {
  readonly #keeper: SessionKeeper;
  readonly #refusals: Refusals;
  readonly #logger: Logger;
  readonly flows = new FlowSet();
  #draining = false;

  constructor(keeper: SessionKeeper, refusals: Refusals, logger: Logger) {
    this.#keeper = keeper;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  /** From now on every new flow is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Opens a flow for a connection that a listener has accepted, or closes it. */
  openAccepted(kind: FlowKind, destination: Endpoint, accepted: Socket): void {
    const socket = this.adopt(accepted, (bytes, release) => flow?.handleBytes(bytes, release) ?? true);
    const flow = socket && this.open(kind, destination, socket);
    if (!flow) socket?.resetAndDestroy();
  }

  /** The accepted connection, read with pooled buffers from now on; undefined when it has gone or none can be had. */
  adopt(accepted: Socket, onBytes: BytesHandler): Socket | undefined {
    try {
      return adoptApplication(accepted, onBytes);
    } catch (error) {
      this.#logger.warn({ err: error }, "could not take over a connection");
      return undefined;
    }
  }

  /** Opens a flow for `socket`. Without room for it, or while draining, returns undefined; the caller refuses. */
  open(kind: FlowKind, destination: Endpoint, socket: Socket, events: FlowEvents = {}): Flow | undefined {
    // The speed test's streams go over lines that are dear, if told: its name is the gateway's own.
    if (this.#draining || destination.host === SPEEDTEST_HOST) return undefined;
    const source = { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 };
    const request = { kind, destination, source };
    const { driver } = this.#keeper;
    const stream = driver.open(request);
    if (stream === undefined) {
      this.#noteRefusal(request, driver.session.whyFull);
      return undefined;
    }
    const flow = new Flow(driver, stream, request, socket, {
      ...events,
      onReset: (code) => {
        if (code !== StreamCode.reset)
          this.#logger.info({ session: driver.name, flow: stream, ...request, code }, "flow refused or cut");
        return events.onReset?.(code) ?? false;
      },
      onOver: () => {
        this.flows.delete(flow);
        events.onOver?.();
      },
    });
    this.flows.add(flow);
    driver.adopt(stream, flow);
    return flow;
  }

  /** Without a reason the session has just ended, and the next one is not there yet. */
  #noteRefusal(request: StreamRequest, reason: StreamRefusal | undefined): void {
    this.#refusals.note(
      { listener: request.kind, reason: reason ?? "no-session" },
      "warn",
      request,
      "refused a flow: the session has no room for it",
    );
    if (reason) this.#keeper.noteRefused(reason);
  }
}

/** An IPv4 client of a dual-stack listener shows as `::ffff:192.0.2.1`. */
function plainHost(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}
