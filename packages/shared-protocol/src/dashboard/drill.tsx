import { useState } from "preact/hooks";
import { formatBytes, formatMs, formatRate } from "../node/cli/format.ts";
import type { DrillProgress, DrillReport } from "../node/status/types.ts";
import { Dialog } from "./parts.tsx";
import { PlainPlot } from "./plain-plot.tsx";
import { useTrial } from "./trial.ts";

const SECONDS = 10;

interface Props {
  readonly path: string;
  /** The class that has the line's colour. */
  readonly colour: string;
  readonly onClose: () => void;
}

/** Takes a line out and back, and shows what flows feel. Closing it puts the line back at once. */
export function DrillDialog({ path, colour, onClose }: Props) {
  const { trial, start, stop } = useTrial<DrillProgress, DrillReport>(`/api/paths/${encodeURIComponent(path)}/drill`);
  const { state, progress, outcome, problem } = trial;
  const [seconds, setSeconds] = useState(SECONDS);
  const isRunning = state === "running";
  const run = (event: SubmitEvent): void => {
    event.preventDefault();
    start({ seconds });
  };
  return (
    <Dialog title={`Drill: ${path} away`} onClose={onClose}>
      <form onSubmit={run}>
        {isRunning ? (
          <Stage path={path} seconds={seconds} last={progress.at(-1)} />
        ) : (
          <>
            <p>The line is taken out for some seconds and comes back. Its flows should go on over the others.</p>
            <label>
              Seconds
              <input
                type="number"
                min="1"
                max="300"
                required
                value={seconds}
                onInput={(event) => setSeconds(event.currentTarget.valueAsNumber)}
              />
            </label>
          </>
        )}
        {progress.length > 0 && <Rates progress={progress} colour={colour} />}
        <div role="status">
          {outcome && <Report report={outcome} />}
          {state === "stopped" && <p class="soft">{path} was put back early; there is no report.</p>}
        </div>
        {state === "failed" && (
          <p class="bad" role="alert">
            It could not be done: {problem}
          </p>
        )}
        <p class="buttons">
          <button type="button" onClick={onClose}>
            {isRunning ? "Put it back and close" : "Close"}
          </button>
          {isRunning ? (
            <button type="button" class="primary" onClick={stop} key="stop">
              Put it back
            </button>
          ) : (
            <button class="primary" key="start">
              {state === "asking" ? "Take it out" : "Again"}
            </button>
          )}
        </p>
      </form>
    </Dialog>
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
