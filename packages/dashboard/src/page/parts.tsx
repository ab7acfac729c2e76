/** Small parts that several sections use. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { PathStatus, SessionState } from "@hawser/status-api/model";

/** What "Sent again" means. */
export const SENT_AGAIN = "Bytes that had been sent before: after a loss of a line, or as a copy of what was late";

/** How many colours there are for paths (dashboard.css). */
const COLOURS = 8;

/** The class that gives a path its colour: by its place in the session. */
export function colourOf(index: number): string {
  return `path-${(index % COLOURS) + 1}`;
}

export function StateMark({ state }: { readonly state: PathStatus["state"] | SessionState }) {
  return <span class={`state ${state}`}>{state}</span>;
}

export interface Share {
  readonly name: string;
  readonly bytes: number;
  readonly colour: string;
}

/** Who carried how much, as one bar and in words. */
export function ShareBar({ shares, label }: { readonly shares: readonly Share[]; readonly label: string }) {
  const text = shares.map((share) => `${share.name} ${percent(share.bytes, shares)}`).join(", ");
  return (
    <span class="share-bar" role="img" aria-label={`${label}: ${text}`} title={text}>
      {shares.map(({ name, bytes, colour }) => (
        <i key={name} class={colour} style={{ flexGrow: bytes }} />
      ))}
    </span>
  );
}

/** A share of the sum, `-` of nothing. */
export function percent(bytes: number, shares: readonly { readonly bytes: number }[]): string {
  const sum = shares.reduce((total, share) => total + share.bytes, 0);
  return sum === 0 ? "-" : `${Math.round((100 * bytes) / sum)} %`;
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog while it is rendered; Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog ref={element} aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}
