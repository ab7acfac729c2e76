/** The routes under `/api`. Each is there as `/api/v1`, too: that stays when a later version takes `/api`. */

import type { FastifyInstance } from "fastify";
import { PATH_ROLES, type PathRole } from "../../wire/frames.ts";
import type { Logger } from "../log.ts";
import { eventStream } from "./event-stream.ts";
import { listFlows } from "./flow-list.ts";
import type { StatusHistory } from "./history.ts";
import { noSuchPath, notOffered, sendProblem } from "./problems.ts";
import { type About, API_VERSION, type EventQuery, type FlowQuery, JsonSchema } from "./schemas.ts";
import { addTrialRoutes } from "./trial-routes.ts";
import { type RoleChange, type StatusReport, type StatusSource, sessionsOf } from "./types.ts";

/** Event streams at a time. */
const MAX_STREAMS = 32;

const failed = { "4xx": JsonSchema.problem, "5xx": JsonSchema.problem };

export function addApiRoutes(
  app: FastifyInstance,
  source: StatusSource,
  history: StatusHistory,
  logger: Logger,
): void {
  const answers = (summary: string, ok: unknown, query?: unknown) => ({
    schema: { summary, ...(query !== undefined && { querystring: query }), response: { 200: ok, ...failed } },
  });

  app.get("/api", answers("what this API is and can do", JsonSchema.about), () => aboutApi(source));
  app.get("/api/status", answers("the gateway, its sessions and paths", JsonSchema.status), () =>
    withoutInfinities(source.status()),
  );
  app.get<{ Querystring: FlowQuery }>(
    "/api/flows",
    answers("the open flows", JsonSchema.flows, JsonSchema.flowQuery),
    (request, reply) => {
      const { flows, total } = listFlows(source.flows(), request.query);
      return reply.header("x-total-count", total).send(withoutInfinities(flows));
    },
  );
  app.get("/api/history", answers("the paths' counters over the last minutes", JsonSchema.history), () =>
    withoutInfinities(history.history()),
  );
  addEventRoute(app, source, history);
  addRoleRoute(app, source);
  addFlowRoute(app, source, logger);
  addTrialRoutes(app, source, logger);
}

/** For Fastify: `/api/v1/...` is `/api/...`. */
export function rewriteVersion(url: string): string {
  return url.replace(new RegExp(`^/api/v${API_VERSION}(?=[/?]|$)`), "/api");
}

function aboutApi(source: StatusSource): About {
  const { role: gateway, version } = source.status();
  const controls = {
    roles: source.setPathRole ? [...PATH_ROLES] : [],
    disconnect: source.disconnectFlow !== undefined,
    drill: source.drill !== undefined,
    speedtest: source.speedtest !== undefined,
  };
  return { apiVersion: API_VERSION, gateway, version, controls };
}

function addEventRoute(app: FastifyInstance, source: StatusSource, history: StatusHistory): void {
  let streams = 0;
  const schema = {
    summary: "what happened to lines, sessions and flows; with Accept: text/event-stream as it happens",
    querystring: JsonSchema.eventQuery,
    response: { 200: JsonSchema.events, ...failed },
  };
  app.get<{ Querystring: EventQuery }>("/api/events", { schema }, (request, reply) => {
    const { query, headers, method } = request;
    const since = Number(query.since ?? headers["last-event-id"] ?? 0) || 0;
    const log = source.events;
    // A stream for HEAD would be one that nobody reads or ends.
    const isStream = method !== "HEAD" && headers.accept?.includes("text/event-stream");
    if (!isStream) return reply.send(log.since(since));
    if (streams >= MAX_STREAMS)
      return sendProblem(reply, 503, `${MAX_STREAMS} event streams are open already`);
    streams++;
    const write = reply.compileSerializationSchema(JsonSchema.status);
    const serialise = (report: StatusReport): string => write({ ...(withoutInfinities(report) as object) });
    const stream = eventStream({ log, since, history: query.status ? history : undefined, serialise });
    stream.once("close", () => streams--);
    return reply.type("text/event-stream").send(stream);
  });
}

function addRoleRoute(app: FastifyInstance, source: StatusSource): void {
  const schema = {
    summary: "changes a path's role at once",
    params: JsonSchema.pathName,
    body: JsonSchema.roleChange,
    response: { 200: JsonSchema.changedPath, ...failed },
  };
  interface Route {
    Params: { name: string };
    Body: { role: PathRole };
  }
  app.patch<Route>("/api/paths/:name", { schema }, (request, reply) => {
    const { name } = request.params;
    const { role } = request.body;
    if (!source.setPathRole) {
      reply.header("allow", "");
      return sendProblem(reply, 405, "the local gateway decides the roles of its paths; ask it");
    }
    const isKnown = source.setPathRole(name, role);
    const paths = sessionsOf(source.status()).flatMap((session) => session.paths);
    const path = isKnown ? paths.find((each) => each.name === name) : undefined;
    if (!path) {
      throw noSuchPath(
        name,
        paths.map((each) => each.name),
      );
    }
    const { roleInForce = role, roleReason } = path;
    return reply.send({ name, role, roleInForce, roleReason } satisfies RoleChange);
  });
}

function addFlowRoute(app: FastifyInstance, source: StatusSource, logger: Logger): void {
  const schema = {
    summary: "cuts an open flow",
    params: JsonSchema.flowName,
    response: { 204: JsonSchema.nothing, ...failed },
  };
  app.delete<{ Params: { id: string } }>("/api/flows/:id", { schema }, (request, reply) => {
    const { id } = request.params;
    if (!source.disconnectFlow) return notOffered(reply, "flows are not cut");
    const flow = source.flows().find((open) => open.id === id);
    if (!flow || !source.disconnectFlow(id))
      return sendProblem(reply, 404, `there is no flow ${JSON.stringify(id)}`);
    const { from, to, peer } = flow;
    logger.info({ peer, flow: id, from, to }, "a flow was cut through the API");
    source.events.add(
      "flow-cut",
      `the flow from ${from} to ${to} was cut through the API`,
      peer ? { peer } : {},
    );
    return reply.code(204).send();
  });
}

/** A rate over no time at all must not cost the whole answer: null, or 0 where null is not allowed. */
function withoutInfinities<T>(value: T): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(withoutInfinities);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutInfinities(inner)]));
}
