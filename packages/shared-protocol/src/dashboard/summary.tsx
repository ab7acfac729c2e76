import type { ComponentChildren } from "preact";
import { formatBytes, formatRate } from "../node/cli/format.ts";
import { carries, type SessionStatus, type StatusReport } from "../node/status/types.ts";
import { StateMark } from "./parts.tsx";

interface Props {
  readonly gateway: StatusReport["role"];
  readonly session: SessionStatus;
}

/** The session in five figures. Down is towards the home, at both ends. */
export function Summary({ gateway, session }: Props) {
  const { peer, state, paths, flows, bytes } = session;
  const sum = (value: (path: SessionStatus["paths"][number]) => number): number =>
    paths.reduce((total, path) => total + value(path), 0);
  const isLocal = gateway === "local";
  const down = sum((path) => (isLocal ? path.receiveRateBps : path.sendRateBps));
  const up = sum((path) => (isLocal ? path.sendRateBps : path.receiveRateBps));
  const [downBytes, upBytes] = isLocal ? [bytes.received, bytes.sent] : [bytes.sent, bytes.received];
  return (
    <section class="summary" aria-label="Summary">
      <Figure name={peer} note={linesInWords(paths)}>
        <StateMark state={state} />
      </Figure>
      <Figure name="Download" note={`${formatBytes(downBytes)} so far`}>
        {formatRate(down)}
      </Figure>
      <Figure name="Upload" note={`${formatBytes(upBytes)} so far`}>
        {formatRate(up)}
      </Figure>
      <Figure name="Open flows" note={`${flows.total} in all, ${flows.failed} failed`}>
        {flows.open}
      </Figure>
      <Figure name="Sent again" note={`${share(bytes.reinjected, bytes.sent)} of what was sent`}>
        {formatBytes(bytes.reinjected)}
      </Figure>
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly note: string;
  readonly children: ComponentChildren;
}

function Figure({ name, note, children }: FigureProps) {
  return (
    <div class="card figure">
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
