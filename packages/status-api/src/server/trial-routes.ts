/** The routes of the drill and the speed test. Both take seconds, and end when the client closes its connection. */

import { Readable } from "node:stream";
import type { Logger } from "@hawser/gateway-kit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { jsonSchema } from "../schemas/shape.ts";
import { pathName } from "../schemas/status.ts";
import {
  type DrillProgress,
  type DrillRequest,
  drillReport,
  drillRequest,
  type SpeedProgress,
  type SpeedtestOptions,
  speedRequest,
  speedResults,
} from "../schemas/trials.ts";
import { doneOrStream, failed } from "./answers.ts";
import { notOffered, problemOf } from "./problems.ts";
import type { StatusSource } from "./source.ts";

export function addTrialRoutes(app: FastifyInstance, source: StatusSource, logger: Logger): void {
  addDrillRoute(app, source, logger);
  addSpeedtestRoute(app, source, logger);
}

function addDrillRoute(app: FastifyInstance, source: StatusSource, logger: Logger): void {
  const schema = {
    summary:
      "Takes a path out for some seconds, and tells what flows felt. A closed connection puts the path back at once. " +
      "With Accept: text/event-stream the progress is told, too.",
    params: jsonSchema(pathName),
    body: jsonSchema(drillRequest),
    response: { 200: doneOrStream(drillReport), ...failed },
  };
  interface Route {
    Params: { name: string };
    Body: DrillRequest;
  }
  app.post<Route>("/api/paths/:name/drill", { schema }, async (request, reply) => {
    const drill = source.drill?.bind(source);
    if (!drill) return notOffered(reply, "paths are not taken out on trial");
    const { params, body } = request;
    return answerTrial<DrillProgress>(request, reply, logger, "report", (signal, onProgress) =>
      drill(params.name, body.seconds, signal, onProgress),
    );
  });
}

function addSpeedtestRoute(app: FastifyInstance, source: StatusSource, logger: Logger): void {
  const schema = {
    summary:
      "Measures each path alone, and all together. With Accept: text/event-stream the progress is told, too.",
    body: jsonSchema(speedRequest),
    response: { 200: doneOrStream(speedResults), ...failed },
  };
  interface Route {
    Body: SpeedtestOptions | null | undefined;
  }
  app.post<Route>("/api/speedtest", { schema }, async (request, reply) => {
    const speedtest = source.speedtest?.bind(source);
    if (!speedtest) return notOffered(reply, "speeds are not measured");
    return answerTrial<SpeedProgress>(request, reply, logger, "results", (signal, onProgress) =>
      speedtest(request.body ?? {}, signal, onProgress),
    );
  });
}

/** Answers by the outcome. A client that accepts a stream gets events: the progress, and then the outcome or the problem. */
function answerTrial<Progress>(
  { headers, url }: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  outcome: "report" | "results",
  run: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<unknown>,
): unknown {
  const signal = whenGone(reply);
  if (!headers.accept?.includes("text/event-stream")) return run(signal, () => {});
  const stream = new Readable({ read() {} });
  const tell = (event: string, data: unknown): void => {
    if (!stream.destroyed) stream.push(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  run(signal, (progress) => tell("progress", progress))
    .then((result) => tell(outcome, result))
    .catch((error: unknown) => tell("problem", problemOf(error, url, logger)))
    .finally(() => stream.push(null));
  return reply.type("text/event-stream").send(stream);
}

/** Aborts when the connection closes before the answer is complete. */
function whenGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}
