/**
 * How long new flows wait for a path when none is up, milliseconds: a line that is dialled anew, or a remote gateway that
 * is restarted, is back sooner. After that a client is better told at once, so that it tries something else.
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
 * Flows that began while waiting are refused when it is cut off. Those from before are the session's, which has more
 * patience: they have something to lose.
 */
export class Reach {
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #state: "up" | "waiting" | "cut off" = "up";

  /** No path has been up for so long that new flows are to be refused. */
  get isCutOff(): boolean {
    return this.#state === "cut off";
  }

  handlePathUp(): void {
    this.#state = "up";
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** The last path is lost, or none was up yet. */
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

  /** A flow begins: `refuse` is called if no path comes up in time. */
  watch(refuse: () => void): void {
    if (this.#state === "waiting") this.#waiting.add(refuse);
  }

  /** The flow is over. */
  forget(refuse: () => void): void {
    this.#waiting.delete(refuse);
  }
}
