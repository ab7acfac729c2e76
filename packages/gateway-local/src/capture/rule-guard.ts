import type { Logger } from "@hawser/gateway-kit";
import type { EventLog } from "@hawser/status-api";

/**
 * How often the rules are put back within how many milliseconds. When they are taken away once more, the cause is not a
 * firewall that was reloaded but a program that removes them again and again. The gateway then gives in for a while: two
 * programs that undo each other's work without end only load the machine.
 */
export const MAX_RESTORES = 5;
export const RESTORE_SPAN_MS = 300_000;
export const PAUSE_MS = 300_000;

/** Decides whether rules that another program has changed are put back, and logs what happens. */
export class RuleGuard {
  readonly #events: EventLog;
  readonly #logger: Logger;
  readonly #now: () => number;
  /** The times at which the rules were put back lately. */
  #restores: number[] = [];
  #lostSince: number | undefined;
  #pausedUntil = 0;
  #trouble: string | undefined;

  constructor(events: EventLog, logger: Logger, now = Date.now) {
    this.#events = events;
    this.#logger = logger;
    this.#now = now;
  }

  /** For people: why the rules are not in place. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The rules are not as they should be. Returns whether to put them back now. */
  handleLost(differences: readonly string[], by: string | undefined): boolean {
    if (this.isPaused) return false;
    const now = this.#now();
    const found = differences.join("; ");
    const who = by === undefined ? "" : `, changed by "${by}"`;
    if (this.#lostSince === undefined)
      this.#tell("rules-lost", `the redirect rules are not in place: ${found}${who}`);
    this.#lostSince ??= now;
    this.#trouble = `the redirect rules are not in place (${found}${who}); they are being put back`;
    this.#restores = this.#restores.filter((at) => now - at < RESTORE_SPAN_MS);
    if (this.#restores.length < MAX_RESTORES) return true;
    this.#giveUp(found, by);
    return false;
  }

  #giveUp(found: string, by: string | undefined): void {
    this.#restores = [];
    this.#pausedUntil = this.#now() + PAUSE_MS;
    const who = by === undefined ? "another program" : `"${by}"`;
    const until = new Date(this.#pausedUntil).toISOString();
    const mend = "end what changes the firewall, then `systemctl reload hawser-local` puts them back at once";
    const why = `they were put back ${MAX_RESTORES} times, and ${who} took them away again each time`;
    this.#trouble = `the redirect rules are not in place (${found}): ${why}; they are left so until ${until}; ${mend}`;
    this.#tell("rules-given-up", this.#trouble);
  }

  /** Until this time the rules stay as they are, unless a reload asks for them. */
  get isPaused(): boolean {
    return this.#now() < this.#pausedUntil;
  }

  /** The rules could not be put in place. */
  handleFailed(reason: string): void {
    const trouble = `the redirect rules could not be put in place: ${reason}`;
    if (this.#trouble !== trouble) this.#logger.error(trouble);
    this.#trouble = trouble;
    this.#lostSince ??= this.#now();
  }

  /** The rules are as they should be. `isOwnWork`: because this gateway put them back. */
  handleInPlace(isOwnWork: boolean): void {
    this.#trouble = undefined;
    this.#pausedUntil = 0;
    if (this.#lostSince === undefined) return;
    const seconds = ((this.#now() - this.#lostSince) / 1_000).toFixed(1);
    this.#lostSince = undefined;
    if (isOwnWork) this.#restores.push(this.#now());
    const how = isOwnWork ? "were put back" : "are in place again";
    this.#tell("rules-restored", `the redirect rules ${how} after ${seconds} s`);
  }

  /** A reload asks for the rules: changes from before count no more. */
  handleAsked(): void {
    this.#restores = [];
    this.#pausedUntil = 0;
  }

  #tell(type: "rules-lost" | "rules-restored" | "rules-given-up", message: string): void {
    this.#events.add(type, message);
    this.#logger[type === "rules-restored" ? "info" : "warn"](message);
  }
}
