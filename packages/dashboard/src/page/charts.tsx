import { useState } from "preact/hooks";
import { formatMs, formatRate } from "@hawser/status-api/model";
import { type Direction, rateKey } from "@hawser/status-api/model";
import type { SessionStatus, StatusReport } from "@hawser/status-api/model";
import { Chart, type Curve } from "./chart.tsx";
import { colourOf } from "./parts.tsx";
import type { Column, PathSeries } from "./series.ts";
import type { State } from "./store.ts";

/** Spans to choose from, minutes; the gateway remembers the longest. */
const SPANS = [1, 5, 10];

interface Props {
  readonly state: State;
  readonly gateway: StatusReport["role"];
  readonly session: SessionStatus;
  readonly theme: string;
}

/** Throughput of each line over time, stacked, and round-trip times: the values that the tiles and the cards show. */
export function Charts({ state: { series, startedAt }, gateway, session, theme }: Props) {
  const [minutes, setMinutes] = useState(SPANS[0] as number);
  const times = series.uptimeSeconds.map((uptime) => startedAt / 1_000 + uptime);
  const curves = (columnOf: (path: PathSeries) => Column): Curve[] =>
    session.paths.map(({ name }, i) => {
      const path = series.paths.find((each) => each.peer === session.peer && each.name === name);
      return { label: name, colour: colourOf(i), values: path ? columnOf(path) : [] };
    });
  const rates = (direction: Direction): Curve[] => curves((path) => path[rateKey(gateway, direction)]);
  const shared = { times, spanSeconds: minutes * 60, theme };
  return (
    <section aria-labelledby="charts">
      <div class="head">
        <h2 id="charts">Throughput</h2>
        <fieldset class="spans">
          <legend class="hidden">Time shown</legend>
          {SPANS.map((span) => (
            <label key={span}>
              <input
                type="radio"
                name="span"
                class="hidden"
                checked={span === minutes}
                onChange={() => setMinutes(span)}
              />
              <span>{span} min</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="charts">
        <Chart {...shared} title="Download" curves={rates("down")} isStacked format={formatRate} least={1e6} />
        <Chart {...shared} title="Upload" curves={rates("up")} isStacked format={formatRate} least={1e5} />
        <Chart
          {...shared}
          title="Round trip"
          curves={[...curves(({ rttMs }) => rttMs), ...leastOf(curves(({ minRttMs }) => minRttMs))]}
          format={(ms) => (ms === 0 ? "0 ms" : `${formatMs(ms)} ms`)}
          least={10}
        />
      </div>
    </section>
  );
}

function leastOf(curves: readonly Curve[]): Curve[] {
  return curves.map((curve) => ({ ...curve, label: `${curve.label}, least`, isDashed: true }));
}
