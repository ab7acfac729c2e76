/**
 * How long new flows wait for a path when none is up, milliseconds. A line that is dialled again, or a remote gateway that
 * restarts, is back sooner. After this time new flows are refused at once, so that clients can try something else.
 */
export const PATIENCE_MS = 10_000;

/**
 * Whether the remote gateway can be reached, over any path:
 *
 * ```
 *  a path is up --(lost the last)--> waiting --(PATIENCE_MS)--> cut off
 *        ^------------(joined)----------'------------(joined)------'
 * ```
 *
 * Flows that began while waiting are refused when the gateway is cut off. Flows from before have carried data; the session
 * keeps those for longer.
 */
export class Reach {
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #state: "up" | "waiting" | "cut off" = "up";

  /** Whether no path has been up for so long that new flows are refused. */
  get isCutOff(): boolean {
    return this.#state === "cut off";
  }

  handlePathUp(): void {
    this.#state = "up";
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** To be called when the last path is lost, and at start. */
  handleNoPath(): void {
    if (this.#state !== "up") return;
    this.#state = "waiting";
    this.#timer = setTimeout(() => this.#cutOff(), PATIENCE_MS).unref();
  }

  #cutOff(): void {
    this.#state = "cut off";
    for (const refuse of this.#waiting) refuse();
    this.#waiting.clear();
  }

  /** Adds a flow that begins. `refuse` is called when no path comes up in time. */
  watch(refuse: () => void): void {
    if (this.#state === "waiting") this.#waiting.add(refuse);
  }

  /** Removes a flow that has ended. */
  forget(refuse: () => void): void {
    this.#waiting.delete(refuse);
  }
}
