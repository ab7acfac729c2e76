/** A provider wants its guest to log in: every connection of line A is answered by its portal, or by nobody, until then. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PortalKind } from "../../lab/provider.ts";
import { count, type FieldFigure, provided, rate, type Scenario, seconds, time } from "./scenario.ts";
import type { Stand } from "./stand.ts";

const LINES = [provided("A", 20, 8, 10), provided("B", 20, 8, 15)];
const BEFORE_MS = 5_000;
/** How long the portal is there before an operator looks, and after that. */
const STANDS_MS = 8_000;
const MORE_MS = 4_000;
/** How long the line's return is waited for. */
const WATCHED_S = 12;
const RETURN_S = 2;
const SHARE = 0.9;
/** How an event or a finding says what it is. */
const PORTAL = /portal|something else answers/i;

async function play(stand: Stand, kind: PortalKind): Promise<FieldFigure[]> {
  const plain = (await stand.plain("down", { lines: ["B"] }))["B"] ?? 0;
  await stand.startHawser();
  // Longer than the doctor may take.
  const bulk = stand.bulk("down", (BEFORE_MS + STANDS_MS + MORE_MS) / 1000 + WATCHED_S + 15);
  await sleep(BEFORE_MS);
  await stand.provider("A").startPortal(kind);
  const startedAt = Date.now();
  await sleep(STANDS_MS);
  const { events, findings } = await stand.read("while the portal is there");
  await sleep(MORE_MS);
  const endedAt = Date.now();
  await stand.provider("A").endPortal();
  const back = await stand.usedAgain("A", "down", WATCHED_S);
  const flow = await bulk.over;
  return [
    rate("download beside the portal", {
      hawser: flow.rate(startedAt + 2_000, endedAt),
      plain,
      bar: { atLeast: SHARE * plain },
    }),
    time("longest gap", { hawser: flow.gapMs, bar: undefined }),
    count("events that name it", {
      hawser: events.local.filter(({ message }) => PORTAL.test(message)).length,
      bar: { atLeast: 1 },
    }),
    count("doctor names it", {
      hawser: findings.filter(({ text, mend = "" }) => PORTAL.test(text + mend)).length,
      bar: { atLeast: 1 },
    }),
    seconds("used again after its end", { hawser: back, bar: { atMost: RETURN_S } }),
  ];
}

export const portal: Scenario = {
  name: "portal",
  about: "a captive portal answers on line A: a redirect, silence, TLS with its own certificate",
  variants: (["redirect", "silent", "tls"] as const).map((kind) => ({
    name: kind,
    isQuick: kind === "redirect",
    seconds: 65,
    lines: LINES,
    play: (stand) => play(stand, kind),
  })),
};
