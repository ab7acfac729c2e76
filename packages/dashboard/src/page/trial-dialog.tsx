import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "./parts.tsx";
import type { TrialControl } from "./trial.ts";

interface Props {
  readonly title: string;
  readonly control: TrialControl<unknown, unknown>;
  /** How long the trial may take; the user chooses. */
  readonly seconds: { readonly label: string; readonly usual: number; readonly min: number; readonly max: number };
  readonly words: {
    readonly start: string;
    readonly stop: string;
    readonly stopAndClose: string;
    readonly stopped: string;
  };
  readonly canStart?: boolean;
  readonly onStart: (seconds: number) => void;
  readonly onClose: () => void;
  /** What is shown while nothing runs, before the seconds. */
  readonly choice: ComponentChildren;
  /** What is shown while it runs. */
  readonly stage: (seconds: number) => ComponentChildren;
  /** What was measured so far. */
  readonly children: ComponentChildren;
  /** Said once it is done. */
  readonly outcome: ComponentChildren;
}

/** The frame of a trial: what to choose, how it goes, what came of it. Closing it ends the trial. */
export function TrialDialog(props: Props) {
  const { control, seconds: limits, words, canStart = true, onStart, onClose } = props;
  const { state, problem } = control.trial;
  const [seconds, setSeconds] = useState(limits.usual);
  const isRunning = state === "running";
  const run = (event: SubmitEvent): void => {
    event.preventDefault();
    onStart(seconds);
  };
  return (
    <Dialog title={props.title} onClose={onClose}>
      <form onSubmit={run}>
        {isRunning ? (
          props.stage(seconds)
        ) : (
          <>
            {props.choice}
            <label>
              {limits.label}
              <input
                type="number"
                min={limits.min}
                max={limits.max}
                required
                value={seconds}
                onInput={(event) => setSeconds(event.currentTarget.valueAsNumber)}
              />
            </label>
          </>
        )}
        {props.children}
        <div role="status">
          {state === "done" && props.outcome}
          {state === "stopped" && <p class="soft">{words.stopped}</p>}
        </div>
        {state === "failed" && (
          <p class="bad" role="alert">
            It could not be done: {problem}
          </p>
        )}
        <p class="buttons">
          <button type="button" onClick={onClose}>
            {isRunning ? words.stopAndClose : "Close"}
          </button>
          {isRunning ? (
            <button type="button" class="primary" onClick={control.stop} key="stop">
              {words.stop}
            </button>
          ) : (
            <button class="primary" disabled={!canStart} key="start">
              {state === "asking" ? words.start : "Again"}
            </button>
          )}
        </p>
      </form>
    </Dialog>
  );
}
