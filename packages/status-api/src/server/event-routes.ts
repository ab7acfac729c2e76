/** `GET /api/events` and `GET /api/logs`: a list of what has happened, or a stream that goes on. */

import type { LogLine, Recent } from "@hawser/gateway-kit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type EventQuery,
  eventList,
  eventQuery,
  type LogQuery,
  logLines,
  logQuery,
} from "../schemas/events.ts";
import { jsonSchema } from "../schemas/shape.ts";
import { reportSchema, type StatusReport } from "../schemas/status.ts";
import { doneOrStream, failed } from "./answers.ts";
import { eventStream, type Feed, recentFeed } from "./event-stream.ts";
import { withoutInfinities } from "./finite.ts";
import type { StatusHistory } from "./history.ts";
import { sendProblem } from "./problems.ts";
import type { StatusSource } from "./source.ts";

/** One object: Fastify keeps the serialiser that it has compiled of it. */
const REPORT = jsonSchema(reportSchema);

/** Event streams at a time. */
const MAX_STREAMS = 32;

export function addEventRoutes(
  app: FastifyInstance,
  source: StatusSource,
  history: StatusHistory,
  log: Recent<LogLine>,
): void {
  const streams = new Streams();
  addEventRoute(app, source, history, streams);
  addLogRoute(app, log, streams);
}

function addEventRoute(
  app: FastifyInstance,
  { events }: StatusSource,
  history: StatusHistory,
  streams: Streams,
): void {
  const schema = {
    summary:
      "Events of paths, sessions and flows, as a list; with Accept: text/event-stream as a stream that goes on.",
    querystring: jsonSchema(eventQuery),
    response: { 200: doneOrStream(eventList), ...failed },
  };
  app.get<{ Querystring: EventQuery }>("/api/events", { schema }, (request, reply) => {
    const before = events.since(lastSeen(request));
    if (!wantsStream(request)) return reply.send(before);
    const feeds: Feed[] = [recentFeed(events, before, "log", (event) => JSON.stringify(event))];
    if (request.query.status) {
      const write = reply.compileSerializationSchema(REPORT);
      feeds.push(statusFeed(history, (report) => write({ ...(withoutInfinities(report) as object) })));
    }
    return streams.send(reply, feeds);
  });
}

function addLogRoute(app: FastifyInstance, log: Recent<LogLine>, streams: Streams): void {
  const schema = {
    summary:
      "The last lines of the gateway's log, as a list; with Accept: text/event-stream as a stream that goes on.",
    querystring: jsonSchema(logQuery),
    response: { 200: doneOrStream(logLines), ...failed },
  };
  app.get<{ Querystring: LogQuery }>("/api/logs", { schema }, (request, reply) => {
    const since = lastSeen(request);
    const { lines } = request.query;
    const before = log.since(since).slice(lines === undefined || since > 0 ? 0 : -Number(lines));
    if (!wantsStream(request)) return reply.send(before.map(({ text }): unknown => JSON.parse(text)));
    return streams.send(reply, [recentFeed(log, before, "line", ({ text }) => text)]);
  });
}

/** The id of the last entry that the reader has; 0 for none. A reader that comes again repeats its query and adds the header. */
function lastSeen({ query, headers }: FastifyRequest<{ Querystring: EventQuery | LogQuery }>): number {
  return Number(headers["last-event-id"] ?? query.since ?? 0) || 0;
}

/** Never for HEAD: nobody would read or end that stream. */
function wantsStream({ method, headers }: Pick<FastifyRequest, "method" | "headers">): boolean {
  return method !== "HEAD" && headers.accept?.includes("text/event-stream") === true;
}

/** Sends the present report, and then each one; without ids. `serialise` writes it as `GET /api/status` does. */
function statusFeed(history: StatusHistory, serialise: (report: StatusReport) => string): Feed {
  return (send) => {
    const tell = (report: StatusReport): void => send({ event: "status", data: serialise(report) });
    tell(history.current());
    return history.subscribe(tell);
  };
}

/** The open streams: each holds a connection, so their number is limited. */
class Streams {
  #open = 0;

  send(reply: FastifyReply, feeds: readonly Feed[]): FastifyReply {
    if (this.#open >= MAX_STREAMS)
      return sendProblem(reply, 503, `${MAX_STREAMS} event streams are open already`);
    this.#open++;
    const stream = eventStream(feeds);
    stream.once("close", () => this.#open--);
    return reply.type("text/event-stream").send(stream);
  }
}
