/** A plan is spent: its line falls from 20 Mbit/s to 64 kbit/s in the middle of a transfer, and later it is renewed. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  combinations,
  count,
  type FieldFigure,
  provided,
  rate,
  type Scenario,
  seconds,
  time,
  type Variant,
} from "./scenario.ts";
import type { Direction, Stand } from "./stand.ts";

const A = provided("A", 20, 8, 10);
const B = provided("B", 20, 8, 15);
const SPENT = { down: 64e3, up: 64e3 };
const BEFORE_MS = 5_000;
/** How long the plan stays spent, and from when on it must not be felt. */
const SPENT_MS = 25_000;
const GRACE_MS = 5_000;
const SHARE = 0.9;
const REQUEST_MS = 200;
const RETURN_S = 10;

async function play(stand: Stand, direction: Direction): Promise<FieldFigure[]> {
  const plain = (await stand.plain(direction, { lines: ["B"] }))["B"] ?? 0;
  await stand.startHawser();
  const bulk = stand.bulk(direction, (BEFORE_MS + SPENT_MS) / 1000 + RETURN_S + 3);
  await sleep(BEFORE_MS);
  const before = await eventCounts(stand);

  await stand.line("A").set(SPENT);
  const spentAt = Date.now();
  await sleep(GRACE_MS);
  const requests = await stand.requests(SPENT_MS / 1000 - GRACE_MS / 1000 - 6);
  const spent = await eventCounts(stand);
  await stand.read("while the plan is spent");
  await sleep(Math.max(0, spentAt + SPENT_MS - Date.now()));
  const renewedAt = Date.now();
  await stand.line("A").set({ down: A.down, up: A.up });
  const back = await stand.usedAgain("A", direction, RETURN_S + 2);

  const flow = await bulk.over;
  return [
    rate(`${direction}load from 5 s on`, {
      hawser: flow.rate(spentAt + GRACE_MS, renewedAt),
      plain,
      bar: { atLeast: SHARE * plain },
    }),
    time("requests from 5 s on, p50", { hawser: requests.p50, bar: undefined }),
    time("requests from 5 s on, p99", { hawser: requests.p99, bar: { atMost: REQUEST_MS } }),
    seconds("used again after its renewal", { hawser: back, bar: { atMost: RETURN_S } }),
    count("events at home", { hawser: spent.local - before.local, bar: undefined }),
    count("events on the VPS", { hawser: spent.remote - before.remote, bar: undefined }),
  ];
}

async function eventCounts(stand: Stand): Promise<Readonly<Record<"local" | "remote", number>>> {
  const [local, remote] = await Promise.all([stand.events("local"), stand.events("remote")]);
  return { local: local.length, remote: remote.length };
}

function variant(role: "active" | "overflow" | "backup", direction: Direction): Variant {
  return {
    name: `${role}-${direction}`,
    isQuick: role === "backup" && direction === "down",
    seconds: 75,
    lines: [A, B],
    hawser: { paths: { B: `role = "${role}"` } },
    play: (stand) => play(stand, direction),
  };
}

export const spentPlan: Scenario = {
  name: "spent-plan",
  about: "line A falls from 20 to 0.064 Mbit/s; line B is active, overflow or backup",
  variants: combinations(["active", "overflow", "backup"] as const, ["down", "up"] as const).map(
    ([role, direction]) => variant(role, direction),
  ),
};
