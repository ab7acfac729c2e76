import type { SessionEvent } from "@hawser/multipath-engine";
import type { Endpoint, StreamCode } from "@hawser/shared-protocol";

/** What a stream's owner (a flow) is told. */
export interface StreamHandler {
  /** The stream is the gateways' own, and counts as no flow. */
  readonly isOwn?: true;
  /** Local: the destination was reached. */
  handleOpened(bound: Endpoint): void;
  handleReadable(): void;
  handleWritable(): void;
  /** The peer has reset the stream: what came before is read, and nothing written. `handleReset` follows. */
  handleResetting?(): void;
  /** The stream is gone; nothing more comes. */
  handleReset(code: StreamCode): void;
  /** Both directions ended in order; nothing more comes. */
  handleClosed(): void;
}

/** The session's events that concern one stream whose handler is known. */
export type StreamEvent = Extract<
  SessionEvent,
  { readonly type: "opened" | "readable" | "writable" | "resetting" | "reset" | "closed" }
>;

/** Who is told of each stream of a session. */
export class StreamHandlers {
  readonly #handlers = new Map<number, StreamHandler>();
  readonly #onFlowFailed: (code: StreamCode) => void;

  /** `onFlowFailed` is told of each stream that is reset, by either side, unless it is the gateways' own. */
  constructor(onFlowFailed: (code: StreamCode) => void) {
    this.#onFlowFailed = onFlowFailed;
  }

  adopt(stream: number, handler: StreamHandler): void {
    this.#handlers.set(stream, handler);
  }

  deliver(event: StreamEvent): void {
    const handler = this.#handlers.get(event.stream);
    switch (event.type) {
      case "opened":
        return handler?.handleOpened(event.bound);
      case "readable":
        return handler?.handleReadable();
      case "writable":
        return handler?.handleWritable();
      case "resetting":
        return handler?.handleResetting?.();
      case "reset":
        this.releaseFailed(event.stream, event.code);
        return handler?.handleReset(event.code);
      case "closed":
        this.#handlers.delete(event.stream);
        return handler?.handleClosed();
    }
  }

  /** The stream is reset: its handler hears no more of it. */
  releaseFailed(stream: number, code: StreamCode): void {
    const isOwn = this.#handlers.get(stream)?.isOwn;
    this.#handlers.delete(stream);
    if (!isOwn) this.#onFlowFailed(code);
  }
}
