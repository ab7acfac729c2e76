import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatTime } from "@hawser/status-api/model";
import { type Column, stack } from "./series.ts";

const HEIGHT = 180;
/** Axes leave this much to what they say, px. */
const AXIS_WIDTH = 74;

export interface Curve {
  readonly label: string;
  /** The class that has the colour in `--c`. */
  readonly colour: string;
  readonly values: Column;
  readonly isDashed?: boolean;
}

interface Props {
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly spanSeconds: number;
  /** Of as many values as there are times, or none. */
  readonly curves: readonly Curve[];
  /** Each on top of those before it. */
  readonly isStacked?: boolean;
  readonly format: (value: number) => string;
  /** What the axis shows at least. */
  readonly least: number;
  /** Colours are read anew when it changes. */
  readonly theme: string;
}

export function Chart(props: Props) {
  const { title, curves, times, format, isStacked = false, theme } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  // What the plot's functions read: they outlive a rendering.
  const latest = useRef(props);
  latest.current = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const shape = JSON.stringify([theme, curves.map(({ label, colour }) => [label, colour])]);

  useEffect(() => {
    const made = makePlot(holder.current as HTMLDivElement, () => latest.current, setCursor);
    plot.current = made;
    return () => made.destroy();
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props]);

  const at = cursor !== null && cursor < times.length ? cursor : times.length - 1;
  const solid = curves.filter(({ isDashed }) => !isDashed);
  const values = solid.map(({ values: column }) => column[at] ?? null);
  const sum = values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const text = solid.map(({ label }, i) => `${label} ${shown(values[i] ?? null, format)}`).join(", ");
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        {isStacked && <b>{format(sum)}</b>}
        <span class="soft time">{cursor === null ? "now" : timeOf(times[at] ?? 0)}</span>
      </figcaption>
      <div ref={holder} role="img" aria-label={`${title} of each line over time; ${text}`} />
      <ul class="legend">
        {solid.map(({ label, colour }, i) => (
          <li key={label} class={colour}>
            {label} <b>{shown(values[i] ?? null, format)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** Of seconds since 1970. */
function timeOf(seconds: number): string {
  return formatTime(new Date(seconds * 1_000));
}

/** Without the seconds where each label is a whole minute. */
function timeLabel(seconds: number, step: number): string {
  return step >= 60 ? timeOf(seconds).slice(0, 5) : timeOf(seconds);
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null ? "-" : format(value);
}

/** The largest stack first: each later area is painted over it. */
function dataOf({ times, curves, isStacked }: Props): uPlot.AlignedData {
  const columns = curves.map(({ values }) => times.map((_, i) => values[i] ?? null));
  return [[...times], ...(isStacked ? stack(columns).reverse() : columns)];
}

function makePlot(holder: HTMLElement, latest: () => Props, onCursor: (index: number | null) => void): uPlot {
  const { curves, isStacked } = latest();
  const style = getComputedStyle(holder);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const series = curves.map((curve): uPlot.Series => {
    const stroke = colour(`--${curve.colour}`);
    if (isStacked) return { stroke, width: 1.5, fill: colour(`--${curve.colour}-area`), points: { show: false } };
    return { stroke, width: curve.isDashed ? 1 : 2, ...(curve.isDashed && { dash: [4, 4] }), points: { show: false } };
  });
  const options: uPlot.Options = {
    width: holder.clientWidth,
    height: HEIGHT,
    // A label at the end of the axis of time has half its width beyond it.
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: "hawser" }, points: { show: false } },
    scales: {
      x: {
        range: () => {
          const { times, spanSeconds } = latest();
          const end = times.at(-1) ?? 0;
          return [end - spanSeconds, end];
        },
      },
      y: { range: (_, __, most) => [0, Math.max(latest().least, (most ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, size: 30, space: 52, values: (_, splits, __, ___, step) => splits.map((at) => timeLabel(at, step)) },
      { ...axis, size: AXIS_WIDTH, space: 30, values: (_, splits) => splits.map((split) => latest().format(split)) },
    ],
    series: [{}, ...(isStacked ? series.toReversed() : series)],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
  };
  const plot = new uPlot(options, dataOf(latest()), holder);
  const observer = new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: HEIGHT }));
  observer.observe(holder);
  plot.hooks.destroy = [() => observer.disconnect()];
  return plot;
}
