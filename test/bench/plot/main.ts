/**
 * `npm run pictures`: the README's pictures, from a real run in the lab. Two ADSL lines, each alone by plain TCP and both
 * at once through Hawser; then a download in which one of them silently dies and returns; and the dashboard, a minute into
 * such downloads. Needs root.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LINES } from "../../demo/stage.ts";
import { Hawser } from "../../lab/hawser.ts";
import { House } from "../../lab/house.ts";
import { labMissing } from "../../lab/requirements.ts";
import { download, startOrigin } from "../../lab/traffic/run.ts";
import { whenQuiet } from "../quiet.ts";
import { longestSilence } from "../statistics.ts";
import { watchDownload } from "../watched.ts";
import { pictureDashboard } from "./dashboard.ts";
import { recordHouse } from "./house.ts";
import type { Recorder } from "./recording.ts";
import { type Caption, renderPlot } from "./svg.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "docs", "pictures");

const SECONDS = 6;
/** TCP and the gateways find the lines' rates in the first second. */
const SKIP_MS = 1000;
/** When the line dies and returns, ms into the download, and how long that goes on. */
const DEATH_MS = 4000;
const BACK_MS = 9000;
const END_MS = 15_000;

const TWO_LINES: Caption = {
  title: "Two ADSL lines: each alone by plain TCP, and both at once through Hawser",
  description:
    "What each of two emulated ADSL lines carried over time, stacked: one line alone, the other alone, then both at " +
    "once, with the goodput of a single download at the height of their sum",
  goodput: "goodput of one download",
};
const LINE_DIES: Caption = {
  title: "A line silently dies in the middle of a download, and returns",
  description:
    "What each of two emulated ADSL lines carried over time, stacked, during one download: it goes on at the rate of " +
    "the other line while one is dead, and at the sum of both once it is back",
  goodput: "goodput of the download",
};

const missing = labMissing("chromium");
if (missing === undefined) {
  await makePictures();
} else {
  console.error(`pictures: ${missing}`);
  process.exitCode = 1;
}

async function makePictures(): Promise<void> {
  await using house = await House.create({ lines: LINES });
  const { port } = await startOrigin(house.origin);
  const hawser = await Hawser.start(house);
  await picture(house, "two-lines.svg", TWO_LINES, (recorder) => addUp(house, port, recorder));
  await picture(house, "line-dies.svg", LINE_DIES, (recorder) => dieAndReturn(house, port, recorder));
  await hawser.stop();
  for (const name of await pictureDashboard(house, port, FOLDER)) console.log(`${name} is taken`);
}

async function picture(
  house: House,
  name: string,
  caption: Caption,
  play: (recorder: Recorder) => Promise<void>,
): Promise<void> {
  const recorder = await recordHouse(house, "down");
  await play(recorder);
  const file = join(FOLDER, name);
  writeFileSync(file, renderPlot(await recorder.stop(), caption));
  console.log(`${name} is drawn`);
}

async function addUp(house: House, port: number, recorder: Recorder): Promise<void> {
  const { addresses } = house;
  const steps = [
    ...house.lines.map(({ name, number }) => ({
      title: `${name}, plain TCP`,
      host: addresses.direct(number).v4,
    })),
    { title: "both, through Hawser", host: addresses.origin.v4 },
  ];
  for (const { title, host } of steps) {
    const startedMs = recorder.nowMs;
    const transfer = await download(house.lan, { host, port, seconds: SECONDS, skipMs: SKIP_MS });
    if (transfer.error !== null) throw new Error(`${title}: ${transfer.error}`);
    recorder.add(transfer);
    recorder.mark(`${title}: ${(transfer.goodputBps / 1e6).toFixed(2)} Mbit/s`, startedMs);
    await whenQuiet(house);
  }
}

async function dieAndReturn(house: House, port: number, recorder: Recorder): Promise<void> {
  const [line] = house.lines;
  if (line === undefined) throw new Error("the house has no line");
  const watched = await watchDownload(house.lan, { host: house.addresses.origin.v4, port }, END_MS / 1000);
  await watched.at(DEATH_MS);
  const diedMs = recorder.nowMs;
  const silentFrom = watched.nowMs();
  await line.set({ blackhole: true });
  await watched.at(BACK_MS);
  recorder.mark(`${line.name} is back`);
  await line.set({ blackhole: false });
  recorder.add(await watched.over);
  const gap = longestSilence(watched.samples, silentFrom, BACK_MS);
  recorder.mark(`${line.name} goes silent: longest pause ${gap.ms.toFixed(0)} ms`, diedMs);
}
