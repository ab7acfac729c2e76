import { useState } from "preact/hooks";
import { formatBytes, formatMs } from "../node/cli/format.ts";
import type { DrillReport } from "../node/status/types.ts";
import { messageOf, send } from "./api.ts";
import { Dialog } from "./parts.tsx";

const SECONDS = 10;

/** Takes a line out and back, and shows what flows felt. */
export function DrillDialog({ path, onClose }: { readonly path: string; readonly onClose: () => void }) {
  const [state, setState] = useState<"asking" | "running" | DrillReport | Error>("asking");
  const [seconds, setSeconds] = useState(SECONDS);
  const run = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setState("running");
    try {
      setState(await send<DrillReport>("POST", `/api/paths/${encodeURIComponent(path)}/drill`, { seconds }));
    } catch (error) {
      setState(new Error(messageOf(error)));
    }
  };
  return (
    <Dialog title={`Drill: ${path} away`} onClose={onClose}>
      <form onSubmit={(event) => void run(event)}>
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
        <div aria-live="polite">
          {state === "running" && <p>{path} is out…</p>}
          {state instanceof Error && <p class="bad">It could not be done: {state.message}</p>}
          {typeof state === "object" && !(state instanceof Error) && <Report report={state} />}
        </div>
        <p class="buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button class="primary" disabled={state === "running"}>
            Take it out
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function Report({ report: { flows, longestGapMs, backAfterMs, reinjectedBytes } }: { readonly report: DrillReport }) {
  const gap = longestGapMs === null ? "nothing was being carried" : `longest gap ${formatMs(longestGapMs)} ms`;
  const back = backAfterMs === null ? "not used again yet" : `used again ${formatMs(backAfterMs)} ms after its return`;
  return (
    <p class={flows.failed === 0 ? "good" : "bad"}>
      {flows.failed} of {flows.open} flows failed; {gap}; {formatBytes(reinjectedBytes)} sent again; {back}.
    </p>
  );
}
