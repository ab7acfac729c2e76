/** Satellite dishes on their schedule: two of them 7 s out of phase, or one beside DSL. Plain TCP has the same schedule. */
import type { BenchLine } from "../rows.ts";
import { sum } from "../statistics.ts";
import { type Change, follow, PERIOD_MS, schedule } from "./dish.ts";
import { count, type FieldFigure, rate, type Scenario, time, type Variant } from "./scenario.ts";
import type { Bulk, Flow, Stand } from "./stand.ts";

const SECOND_PHASE_MS = 7_000;
const BEGINNING_MS = 5_000;
const SHARE = 0.95;

const DISH = { down: 30e6, up: 4e6, delayMs: 20, queueMs: 150, loss: 0.01 };
const DISHES: BenchLine[] = [
  { name: "dish1", ...DISH },
  { name: "dish2", ...DISH },
];
const DSL: BenchLine = { name: "dsl", down: 50e6, up: 10e6, delayMs: 8, queueMs: 80, loss: 0 };

async function play(stand: Stand, lines: readonly BenchLine[], length: number): Promise<FieldFigure[]> {
  const dishes = lines.filter(({ name }) => name.startsWith("dish"));
  const schedules = dishes.map((_, index) =>
    schedule(index + 1, index === 0 ? PERIOD_MS : SECOND_PHASE_MS, length * 1000),
  );
  const fly = (transfers: () => Bulk[]): Promise<Flown> => flyOnce(stand, dishes, schedules, transfers);

  // Both at once, one connection over each line: what two programs would get that choose well.
  const plain = await fly(() => lines.map(({ name }) => stand.bulk("down", length, stand.targetOver(name))));
  await stand.startHawser();
  const hawser = await fly(() => [stand.bulk("down", length)]);
  await stand.read("after the download");
  const deaths = await Promise.all(lines.map(({ name }) => stand.eventCount("path-down", name)));

  const rates = ({ flows, began }: Flown, to?: number): number[] =>
    flows.map((flow) => flow.rate(began, to === undefined ? undefined : began + to));
  const best = Math.max(...rates(plain));
  return [
    rate("download", {
      hawser: sum(rates(hawser)),
      plain: best,
      bar: { atLeast: SHARE * sum(rates(plain)) },
    }),
    rate("its first 5 s", {
      hawser: sum(rates(hawser, BEGINNING_MS)),
      plain: Math.max(...rates(plain, BEGINNING_MS)),
      bar: { atLeast: sum(rates(plain, BEGINNING_MS)) },
    }),
    time("longest gap", {
      hawser: Math.max(...hawser.flows.map(({ gapMs }) => gapMs)),
      plain: Math.min(...plain.flows.map(({ gapMs }) => gapMs)),
      bar: undefined,
    }),
    count("deaths of paths", { hawser: sum(deaths), bar: { atMost: 0 } }),
  ];
}

interface Flown {
  readonly began: number;
  readonly flows: readonly Flow[];
}

async function flyOnce(
  stand: Stand,
  dishes: readonly BenchLine[],
  schedules: readonly (readonly Change[])[],
  transfers: () => Bulk[],
): Promise<Flown> {
  const flights = dishes.map(({ name }, index) => follow(stand.line(name), schedules[index] ?? []));
  const began = Date.now();
  const [flows] = await Promise.all([Promise.all(transfers().map(({ over }) => over)), Promise.all(flights)]);
  return { began, flows };
}

function variant(name: string, lines: readonly BenchLine[], length: number, isQuick: boolean): Variant {
  return {
    name,
    isQuick,
    seconds: 2 * length + 12,
    lines,
    congestion: "bbr",
    play: (stand) => play(stand, lines, length),
  };
}

export const starlink: Scenario = {
  name: "starlink",
  about: "rate and delay change each 15 s: two dishes 7 s out of phase, one beside DSL",
  variants: [
    variant("two-dishes-short", DISHES, 32, true),
    variant("two-dishes", DISHES, 92, false),
    variant("beside-dsl", [DSL, DISHES[0] as BenchLine], 92, false),
  ],
};
