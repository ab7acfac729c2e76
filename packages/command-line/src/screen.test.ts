import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { Screen } from "./screen.ts";

class Terminal extends EventEmitter {
  readonly isTTY = true;
  columns = 80;
  rows = 3;
  text = "";
  raw = false;
  write(text: string): void {
    this.text += text;
  }
  setRawMode(mode: boolean): void {
    this.raw = mode;
  }
  resume(): void {}
  pause(): void {}
}

function open() {
  const terminal = new Terminal();
  const seen: string[] = [];
  const screen = new Screen(terminal, terminal, {
    onKey: (key) => seen.push(key),
    onResize: () => seen.push("resize"),
    onStop: () => seen.push("stop"),
  });
  screen.enter();
  return { terminal, screen, seen };
}

test("the terminal is given back as it was, once", () => {
  const { terminal, screen } = open();
  assert.ok(terminal.raw);
  screen.leave();
  screen.leave();
  assert.ok(terminal.text.startsWith("\x1b[?1049h\x1b[?25l"));
  assert.ok(terminal.text.endsWith("\x1b[?25h\x1b[?1049l"));
  assert.equal(terminal.text.split("\x1b[?1049l").length, 2);
  assert.equal(terminal.raw, false);
  assert.deepEqual([terminal.listenerCount("data"), terminal.listenerCount("resize")], [0, 0]);
  screen.draw(["late"]);
  assert.ok(!terminal.text.includes("late"));
});

test("a frame is written over the last one without clearing first, and cut to the screen's height", () => {
  const { terminal, screen } = open();
  terminal.text = "";
  screen.draw(["a", "b", "c", "d"]);
  screen.leave();
  assert.ok(terminal.text.includes("\x1b[Ha\x1b[K\r\nb\x1b[K\r\nc\x1b[K\x1b[J"));
  assert.ok(!terminal.text.includes("\x1b[2J"));
});

test("keys, Ctrl-C, signals and a new size are told", () => {
  const { terminal, screen, seen } = open();
  terminal.emit("data", Buffer.from("q"));
  terminal.emit("data", Buffer.from("\x03"));
  terminal.emit("resize");
  process.emit("SIGTERM");
  screen.leave();
  assert.deepEqual(seen, ["q", "stop", "resize", "stop"]);
  assert.equal(process.listenerCount("SIGTERM"), 0);
});
