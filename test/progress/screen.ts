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

  get isTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  /** A whole line; a step under way stays above it as it was drawn last. */
  say(text: string): void {
    this.#endLine();
    this.#out.write(`${text}\n`);
  }

  /** Draws a step under way; without a terminal nothing. */
  draw(text: string): void {
    if (!this.isTerminal) return;
    // A line that fills the last column would make some terminals go on to the next. Some know no width, and say 0.
    const line = text.slice(0, (this.#out.columns || 80) - 1);
    this.#out.write(ERASE_LINE + line);
    this.#isDrawing = true;
  }

  /** Draws a step that is done. */
  finish(text: string): void {
    this.draw(text);
    if (this.isTerminal) this.#endLine();
    else this.#out.write(`${text}\n`);
  }

  /** Takes the step under way off the screen. */
  erase(): void {
    if (this.#isDrawing) this.#out.write(ERASE_LINE);
    this.#isDrawing = false;
  }

  #endLine(): void {
    if (this.#isDrawing) this.#out.write("\n");
    this.#isDrawing = false;
  }
}
