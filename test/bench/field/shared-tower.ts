/** Lines of one tower share its uplink with somebody else's download; another line is apart. */
import { setTimeout as sleep } from "node:timers/promises";
import { sum } from "../statistics.ts";
import { type FieldFigure, figure, provided, rate, type Scenario, time } from "./scenario.ts";
import type { Stand } from "./stand.ts";

const LINES = [
  provided("A", 40, 10, 15, "tower"),
  provided("B", 40, 10, 20, "tower"),
  provided("C", 20, 5, 15),
];
const UPLINK = { down: 40e6, up: 10e6, queueMs: 200 };
const SECONDS = 15;
/** What a transfer leaves out of its beginning. */
const BEGINNING_MS = 3_000;
const SHARE = 0.9;
/** Of the uplink: one connection beside the two of Hawser's lines. */
const FOREIGN_SHARE = 1 / 3;

async function play(stand: Stand, own: readonly string[]): Promise<FieldFigure[]> {
  await stand.provider("A").setUplink(UPLINK, stand.house.remote);
  const plain = await stand.plain("down", { lines: own.filter((line) => line !== "B") });
  const pairFrom = Date.now() + BEGINNING_MS;
  const pair = ["A", own.includes("B") ? "B" : "A"].map(
    (line) => stand.bulk("down", SECONDS, stand.targetOver(line)).over,
  );
  const besideForeign = (await Promise.all(pair))[1]?.rate(pairFrom) ?? 0;
  await stand.startHawser();

  const aloneFrom = Date.now() + BEGINNING_MS;
  const alone = await stand.bulk("down", SECONDS).over;
  await sleep(1_000);
  const besideFrom = Date.now() + BEGINNING_MS;
  const both = [stand.bulk("down", SECONDS), stand.bulk("down", SECONDS, stand.targetOver("A"))] as const;
  await sleep(BEGINNING_MS);
  const requests = await stand.requests(SECONDS / 2);
  await stand.read("beside the foreign download");
  const [beside, foreign] = [await both[0].over, await both[1].over];
  const foreignBps = foreign.rate(besideFrom);
  const best = plain["A"] ?? 0;
  return [
    rate("download alone", {
      hawser: alone.rate(aloneFrom),
      plain: best,
      bar: { atLeast: SHARE * sum(Object.values(plain)) },
    }),
    // What plain TCP gets beside the foreign one, and what the line apart gives.
    rate("download beside a foreign one", {
      hawser: beside.rate(besideFrom),
      plain: besideForeign,
      bar: { atLeast: SHARE * (besideForeign + (plain["C"] ?? 0)) },
    }),
    figure("the foreign one's share of the uplink", "share", {
      hawser: foreignBps / best,
      bar: { atLeast: FOREIGN_SHARE },
    }),
    time("request meanwhile, p50", { hawser: requests.p50, bar: undefined }),
  ];
}

export const sharedTower: Scenario = {
  name: "shared-tower",
  about: "lines A and B, or A alone, over one uplink with somebody else's download; line C apart",
  variants: [["A", "B", "C"], ["A", "B"], ["A"]].map((own) => ({
    name: own.join("-").toLowerCase(),
    isQuick: own.length === 3,
    seconds: 80,
    lines: LINES.filter(({ name }) => own.includes(name)),
    play: (stand) => play(stand, own),
  })),
};
