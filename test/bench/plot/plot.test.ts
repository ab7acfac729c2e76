import assert from "node:assert/strict";
import { test } from "node:test";
import { rateUnit, ticks } from "./axis.ts";
import { Recorder, type Recording } from "./recording.ts";
import { goodput, stack } from "./series.ts";
import { renderPlot } from "./svg.ts";

/** 10 s: line a has 4 Mbit/s, line b 8 Mbit/s until it is dead from 5 s on. */
const RECORDING: Recording = {
  lines: ["a", "b"],
  samples: Array.from({ length: 11 }, (_, second) => ({
    ms: second * 1000,
    bytes: [second * 500_000, Math.min(second, 5) * 1_000_000],
  })),
  transfers: [{ fromMs: 1000, timeline: Array.from({ length: 41 }, () => 50_000) }],
  marks: [{ ms: 5000, text: 'b <dead> & "gone"' }],
};
const CAPTION = { title: "A & B", description: "Two lines", goodput: "the download" };

/** The numbers of the paths of a class, as points. */
function paths(svg: string, name: string): [number, number][][] {
  const found = svg.matchAll(new RegExp(`<path class="${name}"[^>]* d="([^"]*)"`, "g"));
  return [...found].map(([, d = ""]) =>
    [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  );
}

/** Where the picture has its tick of that text. */
function tick(svg: string, text: string): { x: number; y: number } {
  const [, x, y] = svg.match(new RegExp(`x="([\\d.]+)" y="([\\d.]+)">${text}</text>`)) ?? [];
  return { x: Number(x), y: Number(y) };
}

/** @throws Error when it is not a well-formed document: elements nest, and no sign stands bare. */
function checkXml(text: string): void {
  const open: string[] = [];
  for (const [, close, name = "", attributes = "", empty, bare = ""] of text.matchAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<&]*")*)(\/?)>|([^<]+|<)/g,
  )) {
    if (name === "") assert.doesNotMatch(bare, /<|&(?!#\d+;)/);
    else if (close === "/") assert.equal(open.pop(), name);
    else if (empty === "") open.push(name);
    assert.equal(new Set(attributes.match(/[a-zA-Z:-]+(?==)/g)).size, attributes.match(/=/g)?.length ?? 0);
  }
  assert.deepEqual(open, []);
}

test("the picture is well-formed, whatever the texts are, and says what it shows without being seen", () => {
  const svg = renderPlot(RECORDING, CAPTION);
  checkXml(svg);
  assert.match(svg, /<title id="t">A &#38; B<\/title>/);
  assert.match(svg, /<desc id="d">Two lines; at 5\.0 s: b &#60;dead&#62; &#38; &#34;gone&#34;<\/desc>/);
  assert.match(svg, />carried by a<.*\n.*>carried by b<.*\n.*>the download</);
  assert.match(svg, />Mbit\/s<\/text>/);
  assert.match(svg, />seconds<\/text>/);
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined|url\(|href/);
});

test("rates and times are where the axes say", () => {
  const svg = renderPlot(RECORDING, CAPTION);
  // A tick's text stands 4 below its rate.
  const y = (mbps: number): number =>
    tick(svg, "0").y - 4 - (mbps / 10) * (tick(svg, "0").y - tick(svg, "10").y);
  const near = (actual: number | undefined, wanted: number): void =>
    assert.ok(Math.abs((actual ?? Number.NaN) - wanted) < 0.2, `${actual} instead of ${wanted}`);
  const [a = [], b = []] = paths(svg, "area");
  for (const [, height] of a.slice(0, 10)) near(height, y(4));
  for (const [, height] of b.slice(0, 5)) near(height, y(12));
  for (const [, height] of b.slice(5, 10)) near(height, y(4));
  // The lower edge of the upper area is the upper edge of the lower one.
  assert.deepEqual(b.slice(10), a.slice(0, 10).toReversed());
  const [line = []] = paths(svg, "goodput").slice(1);
  assert.equal(line.length, 20);
  for (const [, height] of line) near(height, y(4));
  near(a[6]?.[0], (tick(svg, "6").x + tick(svg, "7").x) / 2);
  near(line[9]?.[0], tick(svg, "3").x - (tick(svg, "7").x - tick(svg, "6").x) / 10);
});

test("marks that would cover each other get rows of their own; one at the edge goes to the left", () => {
  const marks = [1000, 1100, 6000, 9900].map((ms) => ({ ms, text: "a line is silent" }));
  const svg = renderPlot({ ...RECORDING, marks }, CAPTION);
  const texts = [...svg.matchAll(/<text class="what" (text-anchor="end" )?x="[\d.]+" y="(\d+)">a line/g)];
  const [first] = texts.map(([, , y]) => Number(y));
  assert.deepEqual(
    texts.map(([, left, y]) => [left !== undefined, Number(y) - (first ?? 0)]),
    [
      [false, 0],
      [false, 17],
      [false, 0],
      [true, 0],
    ],
  );
});

test("nothing recorded makes an empty picture", () => {
  const svg = renderPlot({ lines: ["a"], samples: [], transfers: [], marks: [] }, CAPTION);
  checkXml(svg);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test("ticks are round numbers up to the highest value or beyond", () => {
  assert.deepEqual(ticks(17.2, 5), [0, 5, 10, 15, 20]);
  assert.deepEqual(ticks(1.55, 5), [0, 0.5, 1, 1.5, 2]);
  assert.deepEqual(ticks(0.3, 3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(100, 5), [0, 20, 40, 60, 80, 100]);
  for (const value of [0, 1e-9, 3e9]) assert.ok((ticks(value, 5).at(-1) ?? 0) >= value);
  assert.deepEqual(
    [17e6, 3e9, 9e5, 0].map((bps) => rateUnit(bps).name),
    ["Mbit/s", "Gbit/s", "kbit/s", "kbit/s"],
  );
});

test("curves are what was counted by the time it took", () => {
  const samples = [
    { ms: 0, bytes: [0, 1000] },
    { ms: 200, bytes: [25_000, 1000] },
    { ms: 600, bytes: [25_000, 51_000] },
  ];
  assert.deepEqual(stack({ ...RECORDING, samples }), [
    [
      { ms: 100, bps: 1e6 },
      { ms: 400, bps: 0 },
    ],
    [
      { ms: 100, bps: 1e6 },
      { ms: 400, bps: 1e6 },
    ],
  ]);
  assert.deepEqual(goodput({ fromMs: 50, timeline: [10_000, 15_000, 5000] }), [{ ms: 150, bps: 1e6 }]);
});

test("a recorder looks at the counters until it is stopped; a look that fails is left out", async () => {
  let looks = 0;
  const enough = Promise.withResolvers<void>();
  const carried = async (): Promise<number[]> => {
    looks += 1;
    if (looks === 2) throw new Error("not now");
    if (looks === 5) enough.resolve();
    return [looks * 1000];
  };
  const recorder = await Recorder.start(["a"], carried, 5);
  const earlier = recorder.nowMs;
  await enough.promise;
  recorder.mark("later");
  recorder.mark("earlier", earlier);
  recorder.add({ startedAt: Date.now(), timeline: [1] });
  const { samples, marks, transfers } = await recorder.stop();
  const bytes = samples.map((sample) => sample.bytes[0]);
  assert.deepEqual(bytes.slice(0, 4), [1000, 3000, 4000, 5000]);
  assert.equal(bytes.at(-1), looks * 1000);
  assert.ok(samples.every(({ ms }, index) => ms >= (samples[index - 1]?.ms ?? 0)));
  assert.deepEqual(
    marks.map(({ text }) => text),
    ["earlier", "later"],
  );
  const [transfer] = transfers;
  assert.ok(transfer !== undefined && transfer.fromMs >= earlier && transfer.fromMs <= recorder.nowMs);
});

test("the rates of late are those of the samples so far", async () => {
  let bytes = 0;
  const seen = Promise.withResolvers<void>();
  const recorder = await Recorder.start(
    ["a", "b"],
    async () => {
      bytes += 1000;
      if (bytes === 10_000) seen.resolve();
      return [bytes, 0];
    },
    5,
  );
  await seen.promise;
  const [a = 0, b] = recorder.rates(10);
  assert.ok(a > 0);
  assert.equal(b, 0);
  await recorder.stop();
});
