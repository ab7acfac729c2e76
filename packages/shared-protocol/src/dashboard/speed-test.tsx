import { useState } from "preact/hooks";
import { formatRate } from "../node/cli/format.ts";
import type { SpeedResult } from "../node/status/types.ts";
import { messageOf, send } from "./api.ts";
import { Dialog } from "./parts.tsx";

/** Measures each line alone, then all together. */
export function SpeedTestDialog({ onClose }: { readonly onClose: () => void }) {
  const [state, setState] = useState<"asking" | "running" | readonly SpeedResult[] | Error>("asking");
  const run = async (): Promise<void> => {
    setState("running");
    try {
      setState(await send<SpeedResult[]>("POST", "/api/speedtest"));
    } catch (error) {
      setState(new Error(messageOf(error)));
    }
  };
  return (
    <Dialog title="Speed test" onClose={onClose}>
      <p>Fills each line alone, then all together. It uses the lines' volume, and others will feel it.</p>
      <div aria-live="polite">
        {state === "running" && <p>Measuring…</p>}
        {state instanceof Error && <p class="bad">It could not be done: {state.message}</p>}
        {Array.isArray(state) && <Results results={state as readonly SpeedResult[]} />}
      </div>
      <p class="buttons">
        <button onClick={onClose}>Close</button>
        <button class="primary" disabled={state === "running"} onClick={() => void run()}>
          Start
        </button>
      </p>
    </Dialog>
  );
}

function Results({ results }: { readonly results: readonly SpeedResult[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Line</th>
          <th class="num">Down</th>
          <th class="num">Up</th>
        </tr>
      </thead>
      <tbody>
        {results.map(({ name, downBps, upBps, error }) => (
          <tr key={name ?? ""}>
            <td>
              {name ?? <b>together</b>} {error !== null && <span class="bad">{error}</span>}
            </td>
            <td class="num">{rate(downBps)}</td>
            <td class="num">{rate(upBps)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function rate(bps: number | null): string {
  return bps === null ? "-" : formatRate(bps);
}
