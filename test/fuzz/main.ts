/** `npm run fuzz`: frames of a hostile peer, by the million. */
import { parseArgs } from "node:util";
import { type FuzzTotals, round } from "./fuzz.ts";

const USAGE = `Usage: npm run fuzz [-- OPTIONS]

Gives random, mutated, cut and hostile frames to the decoder and to whole
sessions, and checks after each step that every bound holds. A failure prints
the seed that repeats it.

  --frames N    stop after so many frames (default 10000000)
  --seconds N   or after so long
  --seed N      the first round's seed; each round adds one (default: the time)
  --help        this text
`;
const PROGRESS_MS = 5_000;

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "10000000" },
    seconds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
    help: { type: "boolean", short: "h", default: false },
  },
});
const [frames, seconds, seed] = [values.frames, values.seconds, values.seed].map(Number) as [
  number,
  number,
  number,
];
if (values.help || [frames, seconds, seed].some(Number.isNaN)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

const totals: FuzzTotals = { rounds: 0, frames: 0, operations: 0, slowest: 0, slowestSeed: seed };
const startedAt = performance.now();
const elapsed = (): number => (performance.now() - startedAt) / 1_000;
let reported = 0;
console.log(`seed ${seed}`);
while (totals.frames < frames && elapsed() < seconds) {
  round(seed + totals.rounds, totals);
  if (elapsed() * 1_000 - reported < PROGRESS_MS) continue;
  reported = elapsed() * 1_000;
  report();
}
report();

function report(): void {
  const { rounds, operations, slowest, slowestSeed } = totals;
  const rate = Math.round(totals.frames / elapsed());
  const memory = Math.round(process.memoryUsage.rss() / 2 ** 20);
  console.log(
    `${totals.frames} frames in ${elapsed().toFixed(0)} s (${rate} per second), ${rounds} rounds, ` +
      `${operations} operations, the slowest ${slowest.toFixed(1)} ms (seed ${slowestSeed}), ${memory} MiB resident`,
  );
}
