/** What the demo does on its stage, whichever that is. */
import type { Target } from "../lab/traffic/dial.ts";
import { start } from "../lab/traffic/run.ts";
import { RecentRate } from "./progress.ts";
import type { Screen } from "./screen.ts";
import { LINES, type Stage } from "./stage.ts";
import { LocalStatus } from "./status.ts";
import type { LineOutcome, Outcome } from "./table.ts";

/** Long enough for a rate that comes out the same the next time. */
const PLAIN_SECONDS = 4;
const ALONE_SECONDS = 6;
const BOTH_SECONDS = 8;
/** TCP and the gateways find the lines' rates in the first second; it is left out everywhere. */
const SKIP_MS = 1000;
const PROGRESS_MS = 100;
/** How often it is asked what each line brought. */
const NOTE_MS = 250;

/** Downloads over each line without Hawser, over each alone with it, and over both. */
export async function tell(stage: Stage, screen: Screen): Promise<Outcome> {
  const plain: number[] = [];
  for (const [index, { name }] of LINES.entries()) {
    const target = stage.plain[index] as Target;
    plain.push(await measure(stage, screen, `${name}, plain TCP`, target, PLAIN_SECONDS));
  }
  const status = new LocalStatus(stage.dashboards.local);
  const alone: number[] = [];
  for (const { name } of LINES) {
    await status.useOnly([name]);
    alone.push(await measure(stage, screen, `${name}, through Hawser`, stage.through, ALONE_SECONDS));
  }
  await status.useOnly(LINES.map(({ name }) => name));
  const { bothBps, shares } = await measureBoth(stage, screen, status);
  const lines = LINES.map(
    ({ name }, index): LineOutcome => ({
      name,
      aloneBps: alone[index] ?? 0,
      plainBps: plain[index] ?? 0,
      share: shares[index] ?? 0,
    }),
  );
  return { lines, bothBps };
}

async function measureBoth(
  stage: Stage,
  screen: Screen,
  status: LocalStatus,
): Promise<{ bothBps: number; shares: number[] }> {
  const received = async (): Promise<number[]> =>
    (await status.paths()).map(({ receivedBytes }) => receivedBytes);
  const before = await received();
  const started = performance.now();
  const rates = before.map(() => new RecentRate());
  let note = "";
  const ask = async (): Promise<void> => {
    const now = await received();
    const ms = performance.now() - started;
    const each = rates.map((rate, index) => rate.add(ms, (now[index] ?? 0) - (before[index] ?? 0)));
    note = each.map((bps) => (bps / 1e6).toFixed(1)).join(" + ");
  };
  // A look that fails leaves the note as it was.
  const timer = setInterval(() => void ask().catch(() => {}), NOTE_MS);
  try {
    const title = "both, through Hawser";
    const bothBps = await measure(stage, screen, title, stage.through, BOTH_SECONDS, () => note);
    const gained = (await received()).map((bytes, index) => bytes - (before[index] ?? 0));
    const total = gained.reduce((sum, bytes) => sum + bytes, 0);
    return { bothBps, shares: gained.map((bytes) => bytes / total) };
  } finally {
    clearInterval(timer);
  }
}

/** One download of so many seconds, drawn while it runs. Its goodput, bit/s. */
async function measure(
  { client }: Stage,
  screen: Screen,
  title: string,
  target: Target,
  seconds: number,
  note: () => string = () => "",
): Promise<number> {
  const recent = new RecentRate();
  const task = { op: "download", ...target, seconds, skipMs: SKIP_MS, progressMs: PROGRESS_MS } as const;
  screen.draw({ title, bps: 0, share: 0 });
  const { result } = start(client, task, ({ ms, bytes }) =>
    screen.draw({ title, bps: recent.add(ms, bytes), share: ms / (seconds * 1000), note: note() }),
  );
  const { goodputBps, error } = await result;
  if (error !== null) throw new Error(`${title}: the download failed: ${error}`);
  screen.finish({ title, bps: goodputBps });
  return goodputBps;
}
