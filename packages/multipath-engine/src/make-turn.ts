import type { SessionEvent } from "./events.ts";
import type { LineReport } from "./line-watch.ts";
import type { Session } from "./session.ts";

/** What a turn needs of a subflow's connection. */
export interface TurnConnection {
  /** What the system knows of the line; undefined where it does not tell. */
  look?(): LineReport | undefined;
  /** Its turn to send has come: it fits records and the kernel's buffers to the line as the model knows it now. */
  handleTurn?(now: number): void;
  /** Whether the connection takes more bytes now. */
  readonly takesMore: boolean;
  /** Writes the frames of one line, as one gathered write. */
  write(parts: Buffer[]): void;
}

/**
 * One turn of a session, in the order that every driver keeps. It is made after an input or a command, or when the time
 * of `Session.pollTimeout` has come. `deliver` gets the session's events, and may give commands meanwhile.
 */
export function makeTurn(
  session: Session,
  connections: Pick<ReadonlyMap<number, TurnConnection>, "get">,
  deliver: (event: SessionEvent) => void,
  now: number,
): void {
  // Before anything is judged: a line that seems to stand still may have moved below.
  for (const id of session.pollLook(now)) {
    const report = connections.get(id)?.look?.();
    if (report) session.handleLine(id, report, now);
  }
  session.handleTimeout(now);
  for (let event = session.pollEvent(); event; event = session.pollEvent()) deliver(event);
  // Last, so that what the applications write when they hear of an event leaves in the same turn.
  const turn = session.startTurn(now);
  for (const id of turn.order) {
    const connection = connections.get(id);
    connection?.handleTurn?.(now);
    while (connection?.takesMore) {
      const parts = session.pollTransmit(id, turn);
      if (!parts) break;
      connection.write(parts);
    }
  }
}
