/** When to look again at a line that takes nothing, milliseconds. */
const BLOCKED_MS = 20;
/**
 * A timer that would come so much too early, or was set so long ago, is set anew, milliseconds: an idle session is not woken
 * for a deadline that has gone.
 */
const STALE_MS = 500;

/** Says when a session's turns are made: after inputs and commands, and when the session's next deadline has come. */
export class TurnTimer {
  readonly #turn: () => void;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #setAt = 0;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /** Asks for one turn after this phase of the event loop, however many inputs come before it. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turn();
    });
  }

  /**
   * A turn is due at `deadline`. One timer serves all deadlines: it is moved only when the next one is earlier than the one
   * that it waits for, as most deadlines are put off before they come; and in a session in which little happens.
   */
  wakeAt(deadline: number, now: number): void {
    const isStale = deadline >= this.#timerAt + STALE_MS || now >= this.#setAt + STALE_MS;
    if (this.#timer && this.#timerAt <= deadline && !isStale) return;
    this.cancel();
    if (deadline === Number.POSITIVE_INFINITY) return;
    this.#timerAt = deadline;
    this.#setAt = now;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.schedule();
      },
      // Due and not done: its connection takes nothing now, and says so itself when it does.
      deadline <= now ? BLOCKED_MS : Math.max(1, Math.ceil(deadline - now)),
    );
  }

  /** No deadline is waited for any more. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
