/** A hop that lets no long packet through and sends no "fragmentation needed": PPPoE, a tunnel, a phone's network. */
import { setTimeout as sleep } from "node:timers/promises";
import { sum } from "../statistics.ts";
import {
  combinations,
  count,
  type FieldFigure,
  provided,
  rate,
  type Scenario,
  time,
  type Variant,
} from "./scenario.ts";
import type { Stand } from "./stand.ts";

const LINES = [provided("A", 20, 8, 10), provided("B", 20, 8, 15)];
/** Full rate is back by then. */
const GRACE_MS = 3_000;
const SHARE = 0.9;
const LATENCY_GROWTH = 1.5;
const BEFORE_HOLE_MS = 4_000;
/** How an event or a finding tells the size of a segment or packet. */
const SIZE = /\b1[0-4]\d\d bytes\b/;

interface Case {
  readonly mtu: number;
  readonly family: "v4" | "v6";
  readonly holed: readonly string[];
  readonly isMidFlow: boolean;
}

async function play(stand: Stand, { mtu, family, holed, isMidFlow }: Case): Promise<FieldFigure[]> {
  const whole = { down: await stand.plain("down", { family }), up: await stand.plain("up", { family }) };
  const dig = async (): Promise<void> => {
    for (const line of holed) await stand.provider(line).setHole(mtu);
  };
  if (!isMidFlow) await dig();
  await stand.startHawser();
  const before = await stand.requests(2);

  const large = stand.bulk("down", isMidFlow ? 14 : 10);
  if (isMidFlow) {
    await sleep(BEFORE_HOLE_MS);
    await dig();
  }
  const from = Date.now() + GRACE_MS;
  const during = await stand.requests(6);
  const download = await large.over;
  const after = await stand.requests(3);
  const reading = await stand.read("after the large download");
  const uploadFrom = Date.now() + GRACE_MS;
  const upload = await stand.bulk("up", 8).over;

  const plainDown = await stand.plain("down", { family });
  const plainUp = await stand.plain("up", { family });
  const { events, findings } = reading;
  const deaths = events.local.filter(({ type }) => type === "path-down");
  const told = holed.filter((line) => {
    return events.local.filter(({ path, message }) => path === line && SIZE.test(message)).length === 1;
  });
  const found = findings.filter(({ text }) => SIZE.test(text));
  const best = (rates: Readonly<Record<string, number>>): number => Math.max(...Object.values(rates));
  const bar = (rates: Readonly<Record<string, number>>) => ({ atLeast: SHARE * sum(Object.values(rates)) });
  return [
    rate("download from 3 s on", {
      hawser: download.rate(from),
      plain: best(plainDown),
      bar: bar(whole.down),
    }),
    rate("upload from 3 s on", { hawser: upload.rate(uploadFrom), plain: best(plainUp), bar: bar(whole.up) }),
    time("request before, p50", { hawser: before.p50, bar: undefined }),
    time("request during, p50", { hawser: during.p50, bar: undefined }),
    time("request after, p50", { hawser: after.p50, bar: { atMost: LATENCY_GROWTH * before.p50 } }),
    count("requests lost", { hawser: before.lost + during.lost + after.lost, bar: { atMost: 0 } }),
    count("deaths of paths", { hawser: deaths.length, bar: { atMost: holed.length } }),
    count("lines whose size an event tells once", { hawser: told.length, bar: { atLeast: holed.length } }),
    count("findings of the doctor with a size", { hawser: found.length, bar: { atLeast: holed.length } }),
  ];
}

function variant(
  mtu: number,
  family: "v4" | "v6",
  which: "one" | "both",
  when: "start" | "mid-flow",
): Variant {
  const holed = which === "one" ? ["A"] : ["A", "B"];
  return {
    name: `${mtu}-${family}-${which}-${when}`,
    isQuick: mtu === 1420 && family === "v4" && which === "both" && when === "start",
    seconds: 85,
    lines: LINES,
    hawser: { overIpv6: family === "v6" },
    play: (stand) => play(stand, { mtu, family, holed, isMidFlow: when === "mid-flow" }),
  };
}

export const mtuHole: Scenario = {
  name: "mtu-hole",
  about: "a hop drops packets of more than 1492, 1420 or 1280 bytes and says nothing",
  variants: combinations(
    combinations([1492, 1420, 1280], ["v4", "v6"] as const),
    combinations(["one", "both"] as const, ["start", "mid-flow"] as const),
  ).map(([[mtu, family], [which, when]]) => variant(mtu, family, which, when)),
};
