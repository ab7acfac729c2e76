/** `GET /api/events` and `GET /api/logs`: what was, as a list, or as server-sent events with what comes. */

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

/** Compiled once: Fastify knows a schema again by its identity. */
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
    summary: "what happened to lines, sessions and flows; with Accept: text/event-stream as it happens",
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
    summary: "the last lines of the gateway's log; with Accept: text/event-stream those that come, too",
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

/** The id that the reader has last; 0 for none. One that comes again asks as it did first, but for the header. */
function lastSeen({ query, headers }: FastifyRequest<{ Querystring: EventQuery | LogQuery }>): number {
  return Number(headers["last-event-id"] ?? query.since ?? 0) || 0;
}

/** A stream for HEAD would be one that nobody reads or ends. */
function wantsStream({ method, headers }: Pick<FastifyRequest, "method" | "headers">): boolean {
  return method !== "HEAD" && headers.accept?.includes("text/event-stream") === true;
}

/** The present report, then each; without ids. `serialise` has it as the API does. */
function statusFeed(history: StatusHistory, serialise: (report: StatusReport) => string): Feed {
  return (send) => {
    const tell = (report: StatusReport): void => send({ event: "status", data: serialise(report) });
    tell(history.current());
    return history.subscribe(tell);
  };
}

/** The open streams, of which there may be only so many. */
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
