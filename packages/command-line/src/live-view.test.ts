import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { FlowStatus } from "@hawser/status-api/model";
import { samplePath, sampleReport } from "@hawser/status-api/testing";
import { LiveView } from "./live-view.ts";
import { progressBar, sparkline, themeOf } from "./text-style.ts";

const UTF8 = { LANG: "C.UTF-8", TERM: "xterm" };
const PLAIN = themeOf({ ...UTF8, NO_COLOR: "1" }, true);

function flow(id: string, receivedBytes: number, sentBytes = 0): FlowStatus {
  const ends = { from: `192.168.1.2:${id}`, to: "192.0.2.1:443", kind: "redirect" as const };
  return { id, ...ends, ageSeconds: 5, sentBytes, receivedBytes, paths: [] };
}

function viewOf(...rates: number[]): LiveView {
  const view = new LiveView();
  for (const [second, receiveRateBps] of rates.entries()) {
    const paths = [samplePath("adsl1", { receiveRateBps }), samplePath("adsl2")];
    const flows = [flow("1", 1_000 * second), flow("2", 1e6 * second), flow("3", 5e6)];
    view.note(sampleReport({ paths }), flows, second * 1_000);
  }
  return view;
}

test("no line is longer than the terminal is wide, and there are no more than it is high", () => {
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [200, 60],
    [20, 3],
    [1, 1],
  ] as const) {
    const lines = viewOf(1e6, 8e6, 4e6).lines(columns, rows, PLAIN);
    assert.ok(lines.length <= rows, `${columns}x${rows}: ${lines.length} lines`);
    for (const line of lines) assert.ok(line.length <= columns, `${columns}x${rows}: ${line}`);
  }
});

test("a terminal of 60 columns has both rates of each line, and where flows lead", () => {
  const text = viewOf(0, 4e6, 8e6).lines(60, 24, PLAIN).join("\n");
  assert.match(text, /^LINE +STATE +RTT ms +DOWN +UP$/m);
  assert.match(text, /^adsl1 +up +23 +8\.0 Mbit\/s +.* 785 kbit\/s/m);
  assert.match(text, /^192\.0\.2\.1:443 +8\.0 Mbit\/s +0 bit\/s 5 s$/m);
});

test("a line's rates become bars, the flows that move most come first", () => {
  const text = viewOf(0, 4e6, 8e6).lines(100, 24, PLAIN).join("\n");
  assert.match(text, /adsl1 +up +active .* 8\.0 Mbit\/s + ▄█ /);
  const flows = text.split("\n").filter((line) => line.startsWith("192.168.1.2:"));
  assert.deepEqual(
    flows.map((line) => line.slice(12, 13)),
    ["2", "1", "3"],
  );
  assert.match(flows[0] ?? "", /8\.0 Mbit\/s +0 bit\/s 5 s$/);
  assert.match(text, /q quits$/);
});

test("colours only where they are wanted; what others wrote cannot steer the terminal", () => {
  const view = viewOf(1e6);
  const coloured = view.lines(80, 24, themeOf(UTF8, true));
  assert.ok(coloured.some((line) => line.includes("\x1b[32mup")));
  assert.deepEqual(coloured.map(stripVTControlCharacters), view.lines(80, 24, PLAIN));
  for (const env of [
    { ...UTF8, NO_COLOR: "1" },
    { ...UTF8, TERM: "dumb" },
  ])
    assert.equal(themeOf(env, true).colours, false);
  const hostile = new LiveView();
  hostile.note(sampleReport({ peer: "a\x1b[2Jb" }), [{ ...flow("1", 1), from: "\x1b]0;x\x07" }], 0);
  assert.ok(!hostile.lines(80, 24, PLAIN).join("").includes("\x1b"));
});

test("a gateway that is away is said to be, beside what was seen last", () => {
  const view = viewOf(1e6);
  view.noteTrouble("nothing listens there");
  assert.match(view.lines(80, 24, PLAIN)[0] ?? "", /nothing listens there/);
  const empty = new LiveView();
  empty.noteTrouble("nothing listens there");
  assert.equal(empty.lines(80, 24, PLAIN)[0], "nothing listens there");
});

test("bars", () => {
  assert.equal(sparkline([0, 1, 4, 8], 5, PLAIN), "  ▁▄█");
  assert.equal(sparkline([1, 2, 3], 2, themeOf({}, true)), "+@");
  assert.equal(progressBar(0.5, 4, PLAIN), "██░░");
  assert.equal(progressBar(2, 4, themeOf({}, true)), "####");
});
