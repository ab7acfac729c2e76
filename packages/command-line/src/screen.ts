/**
 * A full-screen view on a terminal (xterm's control sequences). However the program ends, the terminal is as it was
 * before.
 */

/** The part of process.stdout that is used. */
export interface ScreenOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on?(event: "resize", listener: () => void): unknown;
  removeListener?(event: "resize", listener: () => void): unknown;
}

/** The part of process.stdin that is used. */
export interface ScreenInput {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  removeListener(event: "data", listener: (bytes: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** To the alternate screen with the cursor hidden, and back. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** Around a picture: a terminal that knows synchronised output shows the picture at once, others ignore the sequences. */
const BEGIN = "\x1b[?2026h\x1b[H";
const END = "\x1b[J\x1b[?2026l";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface ScreenEvents {
  /** A key, as the terminal sends it. */
  onKey(key: string): void;
  onResize(): void;
  /** Ctrl-C, or a signal that asks for the end. */
  onStop(): void;
}

/** The width of the terminal that a command writes to, columns; undefined for anything else. */
export function widthOf(output: ScreenOutput): number | undefined {
  // A pipe has no width, and a terminal that was never given one says 0.
  return (output.isTTY && output.columns) || undefined;
}

export class Screen {
  readonly #output: ScreenOutput;
  readonly #input: ScreenInput;
  readonly #events: ScreenEvents;
  #open = false;

  constructor(output: ScreenOutput, input: ScreenInput, events: ScreenEvents) {
    this.#output = output;
    this.#input = input;
    this.#events = events;
  }

  get columns(): number {
    // A terminal that was never given a size says 0.
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  enter(): void {
    this.#open = true;
    this.#output.write(ENTER);
    this.#output.on?.("resize", this.#onResize);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on("exit", this.#leave);
    if (!this.#input.isTTY) return;
    this.#input.setRawMode?.(true);
    this.#input.on("data", this.#onData);
    this.#input.resume();
  }

  /** Draws over the picture before, line by line, so that nothing flickers. Lines below the screen are left out. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const shown = lines.slice(0, this.rows).map((line) => `${line}\x1b[K`);
    this.#output.write(`${BEGIN}${shown.join("\r\n")}${END}`);
  }

  leave(): void {
    this.#leave();
    this.#output.removeListener?.("resize", this.#onResize);
    for (const signal of SIGNALS) process.removeListener(signal, this.#onSignal);
    process.removeListener("exit", this.#leave);
  }

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    if (this.#input.isTTY) {
      this.#input.setRawMode?.(false);
      this.#input.removeListener("data", this.#onData);
      this.#input.pause();
    }
    this.#output.write(LEAVE);
  };

  readonly #onResize = (): void => this.#events.onResize();

  readonly #onSignal = (): void => this.#events.onStop();

  readonly #onData = (bytes: Buffer): void => {
    const key = bytes.toString("latin1");
    if (key === "\x03") this.#events.onStop();
    else this.#events.onKey(key);
  };
}
