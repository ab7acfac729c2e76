import { formatBytes, formatMs, formatRate } from "@hawser/status-api/model";
import type { DrillProgress, DrillReport } from "@hawser/status-api/model";
import { PlainPlot } from "./plain-plot.tsx";
import { useTrial } from "./trial.ts";
import { TrialDialog } from "./trial-dialog.tsx";

const SECONDS = 10;

interface Props {
  readonly path: string;
  /** The class that has the line's colour. */
  readonly colour: string;
  readonly onClose: () => void;
}

/** Takes a line out and back, and shows what flows feel. Closing it puts the line back at once. */
export function DrillDialog({ path, colour, onClose }: Props) {
  const control = useTrial<DrillProgress, DrillReport>(`/api/paths/${encodeURIComponent(path)}/drill`);
  const { progress, outcome } = control.trial;
  return (
    <TrialDialog
      title={`Drill: ${path} away`}
      control={control}
      seconds={{ label: "Seconds", usual: SECONDS, min: 1, max: 300 }}
      words={{
        start: "Take it out",
        stop: "Put it back",
        stopAndClose: "Put it back and close",
        stopped: `${path} was put back early; there is no report.`,
      }}
      onStart={(seconds) => control.start({ seconds })}
      onClose={onClose}
      choice={<p>The line is taken out for some seconds and comes back. Its flows should go on over the others.</p>}
      stage={(seconds) => <Stage path={path} seconds={seconds} last={progress.at(-1)} />}
      outcome={outcome && <Report report={outcome} />}
    >
      {progress.length > 0 && <Rates progress={progress} colour={colour} />}
    </TrialDialog>
  );
}

interface StageProps {
  readonly path: string;
  readonly seconds: number;
  readonly last: DrillProgress | undefined;
}

function Stage({ path, seconds, last }: StageProps) {
  const spent = Math.min(seconds, Math.floor(last?.elapsedSeconds ?? 0));
  const words = { before: `Watching the flows…`, out: `${path} is out`, return: `${path} is coming back…` };
  const share = { before: 0, out: Math.min(1, (last?.elapsedSeconds ?? 0) / seconds), return: 1 };
  return (
    <p class="stage">
      <span>
        <span role="status">{words[last?.phase ?? "before"]}</span>
        {last?.phase === "out" && ` for ${spent} of ${seconds} s`}
      </span>
      <progress max="1" value={share[last?.phase ?? "before"]} aria-label="Progress of the drill" />
    </p>
  );
}

/** What all flows together carry, over the whole drill; the time without the line is marked. */
function Rates({ progress, colour }: { readonly progress: readonly DrillProgress[]; readonly colour: string }) {
  const last = progress.at(-1);
  const xOf = (i: number): number => i / Math.max(1, progress.length - 1);
  const from = progress.findIndex(({ phase }) => phase === "out");
  const to = progress.findLastIndex(({ phase }) => phase === "out");
  const points = progress.map(({ downBps, upBps }, i) => ({ x: xOf(i), y: downBps + upBps }));
  return (
    <figure class={colour}>
      <figcaption class="soft">
        All flows: ↓ {formatRate(last?.downBps ?? 0)} ↑ {formatRate(last?.upBps ?? 0)}
        {typeof last?.longestGapMs === "number" && `, longest gap ${formatMs(last.longestGapMs)} ms`}
      </figcaption>
      <PlainPlot
        label="What all flows carried together during the drill"
        areas={[{ colour: "together", points }]}
        marked={from < 0 ? undefined : { from: xOf(from), to: xOf(to) }}
      />
    </figure>
  );
}

function Report({
  report: { flows, longestGapMs, upAfterMs, backAfterMs, reinjectedBytes },
}: {
  readonly report: DrillReport;
}) {
  const gap = longestGapMs === null ? "nothing was being carried" : `longest gap ${formatMs(longestGapMs)} ms`;
  const up = upAfterMs === null ? "it is not up again yet" : `up again after ${formatMs(upAfterMs)} ms`;
  const back = backAfterMs === null ? "" : `, used after ${formatMs(backAfterMs)} ms`;
  return (
    <p class={flows.failed === 0 ? "good" : "bad"}>
      {flows.failed} of {flows.open} flows failed; {gap}; {formatBytes(reinjectedBytes)} sent again; {up}
      {back}.
    </p>
  );
}
