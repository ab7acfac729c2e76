/** `GET /api/events`, `GET /api/logs` and `GET /api/history`: what was. */

import { z } from "zod";
import { EVENT_TYPES, HISTORY_VALUES } from "../model/values.ts";
import { COUNT, digits, NUMBER } from "./numbers.ts";
import { number, type Shape, text } from "./shape.ts";

const event = z.object({
  id: number("Grows from event to event, over restarts, too."),
  time: text("ISO 8601."),
  type: z.enum(EVENT_TYPES).meta({
    description:
      "path-suspect: a path makes no progress and gets no new data; path-back: a path carries data again; " +
      "path-in-use, path-idle: an overflow or backup path begins or ends to carry what this gateway sends; " +
      "path-resting, path-tried: a path that delayed more than it carried is left out for a while, then tried again; " +
      "quota-warned: 80 % of a path's quota are used; " +
      "subflow-lost: one of several connections of a path is lost, and the path goes on; " +
      "peer-file-wrong: what the remote gateway's files say of a peer is damaged, or others could have written it; " +
      "peer-unreachable: no path to the other gateway is left; " +
      "capture-blocked, capture-back: a firewall drops what the redirect rules send to the gateway, or no longer; " +
      "egress-lost, egress-back: the remote gateway has no way out by an address family, or has one again; " +
      "rules-lost, rules-restored, rules-given-up: another program has changed the redirect rules, they are in place " +
      "again, they are left as they are for a while because the other program goes on changing them; " +
      "flows-failed, flows-refused: a minute's flows that were cut, or found no room, with the reasons.",
  }),
  level: z.enum(["info", "warn"]),
  peer: z.string().optional().meta({ description: "The session that it is about." }),
  path: z.string().optional().meta({ description: "The path that it is about." }),
  message: text("For people."),
});
/** One event of a gateway. */
export type GatewayEvent = Shape<typeof event>;
/** What happened. */
export type EventType = GatewayEvent["type"];
/** What an event is about. */
export type EventSubject = Pick<GatewayEvent, "peer" | "path">;
export const eventList = z.array(event);

const since = digits(
  NUMBER,
  "Only what came after this id. The header Last-Event-ID says the same; it counts when both are given.",
);

export const eventQuery = z.object({
  since,
  status: z.literal("1").optional().meta({ description: "In the stream: the status, too, once a second." }),
});
export type EventQuery = Shape<typeof eventQuery>;

export const logQuery = z.object({
  lines: digits(COUNT, "At most so many of the last ones, for a reader that has none yet."),
  since,
});
export type LogQuery = Shape<typeof logQuery>;

/** As pino writes it; what else there is depends on the line. */
const logLine = z.looseObject({ level: z.string(), time: z.string() });
export const logLines = z.array(logLine);

const column = z.array(z.number().nullable());
export type HistoryValue = (typeof HISTORY_VALUES)[number];
const columns = Object.fromEntries(HISTORY_VALUES.map((value) => [value, column])) as Record<
  HistoryValue,
  typeof column
>;
const pathHistory = z.object({ peer: z.string(), name: z.string(), ...columns });
/** One path's values, one for each of the history's times; null while there was no such path. */
export type PathHistory = Shape<typeof pathHistory>;

/** The last minutes in columns, the oldest first. The values are those of the reports of that time. */
export const historySchema = z.object({
  uptimeSeconds: z.array(z.number()).meta({
    description: "When the values were taken: the gateway's uptime then.",
  }),
  paths: z.array(pathHistory),
});
/** What `GET /api/history` answers. */
export type History = Shape<typeof historySchema>;
