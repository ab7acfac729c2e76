import { type StepView, stepLine } from "./progress.ts";

/** What the screen writes to: process.stdout, or a test's own. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const ERASE_LINE = "\r\x1b[K";

/** Lines of text, and steps: one line each, redrawn while it runs on a terminal, else printed once it is done. */
export class Screen {
  readonly #out: Output;
  /** Whether the cursor stands behind a line that is being redrawn. */
  #isDrawing = false;

  constructor(out: Output) {
    this.#out = out;
  }

  say(text: string): void {
    this.#endLine();
    this.#out.write(`${text}\n`);
  }

  /** Draws a step under way; without a terminal nothing. */
  draw(view: StepView): void {
    if (this.#out.isTTY !== true) return;
    // A line that fills the last column would make some terminals go on to the next. Some know no width, and say 0.
    this.#out.write(ERASE_LINE + stepLine(view, (this.#out.columns || 80) - 1));
    this.#isDrawing = true;
  }

  /** Draws a step that is done. */
  finish(view: StepView): void {
    if (this.#out.isTTY === true) {
      this.draw({ ...view, share: 1 });
      this.#endLine();
    } else {
      this.#out.write(`${stepLine(view)}\n`);
    }
  }

  #endLine(): void {
    if (this.#isDrawing) this.#out.write("\n");
    this.#isDrawing = false;
  }
}
