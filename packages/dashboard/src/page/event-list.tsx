import { useState } from "preact/hooks";
import { formatDay, formatTime } from "@hawser/status-api/model";
import type { GatewayEvent } from "@hawser/status-api/model";

/** Rows shown before the user asks for more. */
const PAGE = 12;

interface Props {
  /** Newest first. */
  readonly events: readonly GatewayEvent[];
  readonly showPeer: boolean;
}

export function EventList({ events, showPeer }: Props) {
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const [rows, setRows] = useState(PAGE);
  const wanted = onlyTrouble ? events.filter(({ level }) => level === "warn") : events;
  return (
    <section aria-labelledby="events">
      <div class="head">
        <h2 id="events">Events</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={onlyTrouble}
            onChange={(event) => setOnlyTrouble(event.currentTarget.checked)}
          />
          trouble only
        </label>
      </div>
      <div class="card events" role="log" aria-label="Events, newest first">
        {wanted.length === 0 && <p class="soft">None so far.</p>}
        <ol>
          {wanted.slice(0, rows).map((event) => (
            <li key={event.id} class={event.level}>
              <time dateTime={event.time}>{timeOf(event.time)}</time>
              <span class="type">{event.type}</span>
              <span>
                {showPeer && event.peer !== undefined && <b>{event.peer}: </b>}
                {event.message}
              </span>
            </li>
          ))}
        </ol>
        {wanted.length > rows && (
          <button class="small" onClick={() => setRows(rows * 4)}>
            Older ones
          </button>
        )}
      </div>
    </section>
  );
}

/** The date only where it is not today's. */
function timeOf(iso: string): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? formatTime(time) : `${formatDay(time)} ${formatTime(time)}`;
}
