import type { ComponentChildren } from "preact";
import { formatBytes, formatRate } from "@hawser/status-api/model";
import { type Direction, homeBytes, homeRates } from "@hawser/status-api/model";
import { carries, type SessionStatus, type StatusReport } from "@hawser/status-api/model";
import { SENT_AGAIN, StateMark } from "./parts.tsx";

interface Props {
  readonly gateway: StatusReport["role"];
  readonly session: SessionStatus;
}

/** The session in five figures. */
export function Summary({ gateway, session }: Props) {
  const { peer, state, paths, flows, bytes } = session;
  const rate = (direction: Direction): string =>
    formatRate(paths.reduce((total, path) => total + homeRates(gateway, path)[direction], 0));
  const { down, up } = homeBytes(gateway, bytes.sent, bytes.received);
  return (
    <section class="summary" aria-label="Summary">
      <Figure name={peer} note={linesInWords(paths)}>
        <StateMark state={state} />
      </Figure>
      <Figure name="Download" note={`${formatBytes(down)} so far`}>
        {rate("down")}
      </Figure>
      <Figure name="Upload" note={`${formatBytes(up)} so far`}>
        {rate("up")}
      </Figure>
      <Figure name="Open flows" note={`${flows.total} in all, ${flows.failed} failed`}>
        {flows.open}
      </Figure>
      <Figure name="Sent again" hint={SENT_AGAIN} note={`${share(bytes.reinjected, bytes.sent)} of what was sent`}>
        {formatBytes(bytes.reinjected)}
      </Figure>
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly note: string;
  /** What the name means, where that is not plain. */
  readonly hint?: string;
  readonly children: ComponentChildren;
}

function Figure({ name, note, hint, children }: FigureProps) {
  return (
    <div class="card figure" title={hint}>
      <span class="name">{name}</span>
      <strong>{children}</strong>
      <span class="soft">{note}</span>
    </div>
  );
}

function linesInWords(paths: SessionStatus["paths"]): string {
  const up = paths.filter(carries).length;
  if (paths.length === 1) return up === 1 ? "its line is up" : "its line is not up";
  return up === paths.length ? `all ${up} lines up` : `${up} of ${paths.length} lines up`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${((100 * part) / whole).toFixed(1)} %`;
}
