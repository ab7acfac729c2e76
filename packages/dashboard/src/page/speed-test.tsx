import { useState } from "preact/hooks";
import { formatMs, formatRate } from "@hawser/status-api/model";
import { carries, isFree, type PathStatus, type SpeedProgress, type SpeedResult } from "@hawser/status-api/model";
import { colourOf } from "./parts.tsx";
import { type Area, PlainPlot } from "./plain-plot.tsx";
import { useTrial } from "./trial.ts";
import { TrialDialog } from "./trial-dialog.tsx";

/** Each way of each line, unless the user wants it otherwise. */
const SECONDS = 5;

type Direction = "down" | "up";
const NAMES = { latency: "round trips", down: "download", up: "upload" } as const;

interface Props {
  /** The session's paths, in the order of their colours. */
  readonly paths: readonly PathStatus[];
  readonly onClose: () => void;
}

/** Measures each line alone, then all together; what comes is shown as it comes. Closing it ends the test. */
export function SpeedTestDialog({ paths, onClose }: Props) {
  const control = useTrial<SpeedProgress, readonly SpeedResult[]>("/api/speedtest");
  const { state, progress, outcome } = control.trial;
  const usable = paths.filter(carries);
  const [wanted, setWanted] = useState<readonly string[]>();
  // A line may go down after it was chosen.
  const choice = wanted?.filter((name) => usable.some((path) => path.name === name));
  // Until the user chooses, the gateway does: what it takes is shown, and follows the lines' states.
  const chosen = choice ?? usable.filter(isFree).map(({ name }) => name);
  const colour = (name: string | null): string =>
    name === null ? "together" : colourOf(paths.findIndex((path) => path.name === name));
  return (
    <TrialDialog
      title="Speed test"
      control={control}
      seconds={{ label: "Seconds each way", usual: SECONDS, min: 2, max: 20 }}
      words={{ start: "Start", stop: "Stop", stopAndClose: "Stop and close", stopped: "Ended early." }}
      canStart={chosen.length > 0}
      onStart={(seconds) => control.start({ seconds, ...(choice && { paths: choice }) })}
      onClose={onClose}
      choice={
        <>
          {state === "asking" && (
            <p>
              Fills each line alone, then all together, to the remote gateway and back. It uses the lines' volume, and
              others will feel it.
            </p>
          )}
          <Choice paths={usable} chosen={chosen} onChange={setWanted} />
        </>
      }
      stage={() => <Stage progress={progress} />}
      outcome={<p class="good">Measured.</p>}
    >
      {progress.length > 0 && (
        <>
          <div class="plots">
            <Humps title="Download" direction="down" progress={progress} colour={colour} />
            <Humps title="Upload" direction="up" progress={progress} colour={colour} />
          </div>
          <Results
            results={outcome ?? soFar(progress)}
            now={state === "running" ? progress.at(-1) : undefined}
            colour={colour}
          />
        </>
      )}
    </TrialDialog>
  );
}

interface ChoiceProps {
  readonly paths: readonly PathStatus[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Which lines: at first all that cost nothing. */
function Choice({ paths, chosen, onChange }: ChoiceProps) {
  const change = (wanted: string, isChosen: boolean): void =>
    onChange(paths.map(({ name }) => name).filter((name) => (name === wanted ? isChosen : chosen.includes(name))));
  return (
    <fieldset class="choice">
      <legend>Lines</legend>
      {paths.map((path) => (
        <label key={path.name}>
          <input
            type="checkbox"
            checked={chosen.includes(path.name)}
            onChange={(event) => change(path.name, event.currentTarget.checked)}
          />
          {path.name} {!isFree(path) && <span class="soft">({path.metered ? "metered" : "has a quota"})</span>}
        </label>
      ))}
      {paths.length === 0 && <span class="soft">None is up.</span>}
    </fieldset>
  );
}

function Stage({ progress }: { readonly progress: readonly SpeedProgress[] }) {
  const last = progress.at(-1);
  const what = last && `${last.name ?? "all together"}, ${NAMES[last.phase]}`;
  return (
    <p class="stage">
      <span role="status">{last ? `${last.round + 1} of ${last.rounds}: ${what}` : "Asking the gateway…"}</span>
      <progress max="1" value={last ? doneOf(last) : 0} aria-label="Progress of the speed test" />
    </p>
  );
}

/** How much of the whole test is done, 0..1. */
function doneOf({ round, rounds, phase, share }: SpeedProgress): number {
  const ofRound = { latency: 0, down: share / 2, up: 0.5 + share / 2 }[phase];
  return (round + ofRound) / rounds;
}

/** The last that was known of each round. */
function soFar(progress: readonly SpeedProgress[]): readonly SpeedResult[] {
  return [...new Map(progress.map(({ name, result }) => [name, result])).values()];
}

interface HumpsProps {
  readonly title: string;
  readonly direction: Direction;
  readonly progress: readonly SpeedProgress[];
  readonly colour: (name: string | null) => string;
}

/** One direction's rates, line after line. */
function Humps({ title, direction, progress, colour }: HumpsProps) {
  const own = progress.filter(({ phase }) => phase === direction);
  const rounds = new Map<number, Area>();
  for (const { name, round, rounds: all, share, bps } of own) {
    const points = [...(rounds.get(round)?.points ?? []), { x: (round + share) / all, y: bps }];
    rounds.set(round, { colour: colour(name), points });
  }
  return (
    <figure>
      <figcaption class="soft">{title}</figcaption>
      <PlainPlot
        label={`${title} of each line, and of all together, as it was measured`}
        areas={[...rounds.values()]}
      />
    </figure>
  );
}

interface ResultsProps {
  readonly results: readonly SpeedResult[];
  /** What is being measured. */
  readonly now: SpeedProgress | undefined;
  readonly colour: (name: string | null) => string;
}

function Results({ results, now, colour }: ResultsProps) {
  const rateOf = (result: SpeedResult, direction: Direction): number | null =>
    now?.name === result.name && now.phase === direction ? now.bps : result[`${direction}Bps`];
  const most = (direction: Direction): number => Math.max(1, ...results.map((each) => rateOf(each, direction) ?? 0));
  return (
    <table class="speeds">
      <thead>
        <tr>
          <th>Line</th>
          <th>Download</th>
          <th>Upload</th>
          <th>Round trip: idle, ↓, ↑</th>
        </tr>
      </thead>
      <tbody>
        {results.map((result) => (
          <tr key={result.name ?? ""} class={colour(result.name)}>
            <th scope="row">{result.name ?? "together"}</th>
            <Rate title="Download" bps={rateOf(result, "down")} most={most("down")} />
            <Rate title="Upload" bps={rateOf(result, "up")} most={most("up")} />
            <td data-title="Round trip, idle, ↓, ↑">
              {[result.latencyMs, result.downLatencyMs, result.upLatencyMs].map(formatMs).join(", ")} ms
              {result.error !== null && <span class="bad"> {result.error}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface RateProps {
  readonly title: string;
  readonly bps: number | null;
  /** What fills the bar. */
  readonly most: number;
}

function Rate({ title, bps, most }: RateProps) {
  return (
    <td data-title={title}>
      <b>{bps === null ? "-" : formatRate(bps)}</b>
      <span class="meter" aria-hidden="true">
        <i class="least" style={{ flexGrow: bps ?? 0 }} />
        <i style={{ flexGrow: most - (bps ?? 0) }} />
      </span>
    </td>
  );
}
