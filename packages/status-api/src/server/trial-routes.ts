/** The routes of what takes its time: a drill, a speed test. Who goes away ends it. */

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
      "takes a path out for some seconds, and says what flows felt; a closed connection puts it back at once; " +
      "with Accept: text/event-stream with its progress",
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
    summary: "measures each path alone, and all together; with Accept: text/event-stream with its progress",
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

/** What came out of it alone or, for who accepts a stream, its progress, and then that or the problem as events. */
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

/** Fires when the connection ends before the answer has. */
function whenGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}
