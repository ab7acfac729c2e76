import { EventEmitter, once } from "node:events";
import type { Flow } from "./flow.ts";

/** The open flows of a gateway or a session. */
export class FlowSet<F extends Flow = Flow> {
  readonly #flows = new Set<F>();
  readonly #emptied = new EventEmitter();

  get size(): number {
    return this.#flows.size;
  }

  [Symbol.iterator](): IterableIterator<F> {
    return this.#flows.values();
  }

  add(flow: F): void {
    this.#flows.add(flow);
  }

  delete(flow: F): void {
    if (this.#flows.delete(flow) && this.#flows.size === 0) this.#emptied.emit("empty");
  }

  /** Resolves when no flow is open, or when `signal` fires. */
  async whenEmpty(signal: AbortSignal): Promise<void> {
    if (this.#flows.size === 0 || signal.aborted) return;
    await once(this.#emptied, "empty", { signal }).catch(() => undefined);
  }
}
