/** How far the bench is: pure arithmetic and text, and the line on the terminal. */
import { bar } from "../progress/bar.ts";
import type { Screen } from "../progress/screen.ts";
import { sum } from "./statistics.ts";

const BAR_WIDTH = 16;
const TITLE_WIDTH = 18;
const REDRAW_MS = 500;

/** How long the step under way and the whole bench will still take, ms. */
export interface Left {
  /** How much of the step is done, 0 .. 1, and what is left of it; 0 when it takes longer than expected. */
  readonly share: number;
  readonly stepMs: number;
  readonly allMs: number;
}

/**
 * What is left, from how long each step was expected to take and how long those that are done have taken.
 * @param expected of all steps in their order, s
 * @param done how many of them are done
 * @param startMs when the step under way began, counted from the beginning
 * @param nowMs counted from the beginning
 */
export function whatIsLeft(expected: readonly number[], done: number, startMs: number, nowMs: number): Left {
  const expectedMs = (steps: readonly number[]): number => sum(steps) * 1000;
  const before = expectedMs(expected.slice(0, done));
  // What was a third slower so far will be so to the end.
  const pace = before > 0 ? startMs / before : 1;
  const step = (expected[done] ?? 0) * 1000 * pace;
  const spent = nowMs - startMs;
  const stepMs = Math.max(0, step - spent);
  const share = step > 0 ? Math.min(1, spent / step) : 1;
  return { share, stepMs, allMs: stepMs + expectedMs(expected.slice(done + 1)) * pace };
}

export function progressLine(title: string, spentMs: number, { share, stepMs, allMs }: Left): string {
  const left = stepMs > 0 ? `about ${formatTime(stepMs)} left` : "longer than expected";
  return `  ${title.padEnd(TITLE_WIDTH)}${bar(share, BAR_WIDTH)} ${formatTime(spentMs)}, ${left}, in all ${formatTime(allMs)}`;
}

function formatTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** On a terminal a line that says how far the step under way is; besides, whole lines. */
export class Progress {
  readonly #screen: Screen;
  readonly #expected: readonly number[];
  readonly #startedAt = performance.now();
  #done = 0;

  /** @param expected how long each step will take, about, in their order, s */
  constructor(screen: Screen, expected: readonly number[]) {
    this.#screen = screen;
    this.#expected = expected;
  }

  say(text: string): void {
    this.#screen.erase();
    this.#screen.say(text);
  }

  /** Shows the next step while it runs. */
  async during<T>(title: string, step: () => Promise<T>): Promise<T> {
    const startMs = this.#nowMs;
    const draw = (): void => {
      const left = whatIsLeft(this.#expected, this.#done, startMs, this.#nowMs);
      this.#screen.draw(progressLine(title, this.#nowMs - startMs, left));
    };
    draw();
    const timer = setInterval(draw, REDRAW_MS);
    try {
      return await step();
    } finally {
      clearInterval(timer);
      this.#screen.erase();
      this.#done += 1;
    }
  }

  get #nowMs(): number {
    return performance.now() - this.#startedAt;
  }
}
