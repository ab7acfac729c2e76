/** A small picture of values as they come; the figures beside it say the same in words. */

export interface Area {
  /** The class that has the colour in `--c`. */
  readonly colour: string;
  /** From the left edge (0) to the right (1), and how high. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

interface Props {
  readonly label: string;
  readonly areas: readonly Area[];
  /** A span of the width that is marked, and for what. */
  readonly marked?: { readonly from: number; readonly to: number } | undefined;
}

const WIDTH = 1_000;
const HEIGHT = 100;

export function PlainPlot({ label, areas, marked }: Props) {
  const most = Math.max(1, ...areas.flatMap(({ points }) => points.map(({ y }) => y)));
  const at = ({ x, y }: { readonly x: number; readonly y: number }): string =>
    `${(x * WIDTH).toFixed(1)},${(HEIGHT - (y / most) * 0.95 * HEIGHT).toFixed(1)}`;
  return (
    <svg class="plain-plot" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      {marked && (
        <rect class="marked" x={marked.from * WIDTH} y="0" width={(marked.to - marked.from) * WIDTH} height={HEIGHT} />
      )}
      {areas.map(({ colour, points }, i) => {
        const [first, last] = [points[0], points.at(-1)];
        if (!first || !last) return null;
        const line = points.map(at).join(" L");
        return (
          <g key={i} class={colour}>
            <path class="area" d={`M${at({ x: first.x, y: 0 })} L${line} L${at({ x: last.x, y: 0 })} Z`} />
            <path class="curve" d={`M${line}`} />
          </g>
        );
      })}
    </svg>
  );
}
