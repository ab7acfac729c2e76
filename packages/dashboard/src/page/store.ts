/** What the page knows, and the loop that keeps it true: load, ask each second, come back after a loss. */

import type { About } from "@hawser/status-api/client";
import type { GatewayEvent, History, StatusReport } from "@hawser/status-api/model";
import { get, messageOf, TokenNeeded } from "./api.ts";
import { appendReport, type Series, seriesOf } from "./series.ts";

/** Between two questions, ms. */
const PERIOD_MS = 1_000;
/** Waits between attempts to come back, ms. */
const RETRY_MS = [250, 500, 1_000, 2_000];
/** Events shown. */
const MAX_EVENTS = 500;

export interface State {
  /** `locked`: the gateway wants a token. */
  readonly link: "loading" | "live" | "lost" | "locked";
  /** Why it is lost or locked. */
  readonly problem: string;
  readonly about: About | undefined;
  readonly report: StatusReport | undefined;
  /** When the report came. */
  readonly reportAt: Date | undefined;
  readonly series: Series;
  /** Date.now() at the gateway's start, by this browser's clock: what the charts' times are counted from. */
  readonly startedAt: number;
  /** Newest first. */
  readonly events: readonly GatewayEvent[];
}

export class Store {
  #state: State = {
    link: "loading",
    problem: "",
    about: undefined,
    report: undefined,
    reportAt: undefined,
    series: { uptimeSeconds: [], paths: [] },
    startedAt: 0,
    events: [],
  };
  readonly #listeners = new Set<() => void>();
  #unlock = (): void => {};
  #failures = 0;

  get state(): State {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The user has given a token: tries it. */
  unlock(): void {
    this.#unlock();
  }

  /** Never ends. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await whenShown();
        await this.#load();
        await this.#follow();
      } catch (error) {
        if (error instanceof TokenNeeded) await this.#waitForToken(error.message);
        else await this.#waitAfter(error);
      }
    }
  }

  async #load(): Promise<void> {
    // One after the other: a wrong token is to count as one guess.
    const about = await get<About>("/api");
    this.#set({ about, series: seriesOf(await get<History>("/api/history")) });
  }

  /**
   * Asks each second, and ends by an error or when the tab is hidden. No request stays open: a browser has six connections
   * for all tabs of a gateway, and a stream in each would leave none for what the user does.
   */
  async #follow(): Promise<void> {
    while (!document.hidden) {
      const since = this.#state.events[0]?.id ?? 0;
      for (const event of await get<readonly GatewayEvent[]>(`/api/events?since=${since}`))
        this.#handleEvent(event);
      this.#handleReport(await get<StatusReport>("/api/status"));
      await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    }
  }

  #handleReport(report: StatusReport): void {
    this.#failures = 0;
    const startedAt = Date.now() - report.uptimeSeconds * 1_000;
    // A clock that drifts by milliseconds must not make the charts tremble.
    const isSteady = Math.abs(startedAt - this.#state.startedAt) < 1_500;
    this.#set({
      link: "live",
      problem: "",
      report,
      reportAt: new Date(),
      series: appendReport(this.#state.series, report),
      ...(isSteady ? {} : { startedAt }),
    });
  }

  #handleEvent(event: GatewayEvent): void {
    this.#set({ events: [event, ...this.#state.events].slice(0, MAX_EVENTS) });
  }

  #waitForToken(problem: string): Promise<void> {
    this.#set({ link: "locked", problem });
    return new Promise((resolve) => {
      this.#unlock = () => {
        this.#set({ link: "loading" });
        resolve();
      };
    });
  }

  #waitAfter(error: unknown): Promise<void> {
    this.#set({ link: "lost", problem: messageOf(error) });
    const wait = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    return new Promise((resolve) => setTimeout(resolve, wait));
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** A tab that nobody sees asks nothing. */
function whenShown(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
  });
}
