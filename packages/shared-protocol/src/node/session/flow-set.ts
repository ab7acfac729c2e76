import { EventEmitter, once } from "node:events";
import type { Flow } from "./flow.ts";

/** The open flows of a gateway or a session. */
export class FlowSet {
  readonly #flows = new Set<Flow>();
  readonly #emptied = new EventEmitter();

  get size(): number {
    return this.#flows.size;
  }

  [Symbol.iterator](): IterableIterator<Flow> {
    return this.#flows.values();
  }

  add(flow: Flow): void {
    this.#flows.add(flow);
  }

  delete(flow: Flow): void {
    if (this.#flows.delete(flow) && this.#flows.size === 0) this.#emptied.emit("empty");
  }

  /** Resolves when no flow is open, or when `signal` fires. */
  async whenEmpty(signal: AbortSignal): Promise<void> {
    if (this.#flows.size === 0 || signal.aborted) return;
    await once(this.#emptied, "empty", { signal }).catch(() => undefined);
  }
}
