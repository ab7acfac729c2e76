/** The routes below `/api`. Each is also below `/api/v1`, which stays when a later version takes `/api`. */

import type { Logger, LogLine, Recent } from "@hawser/gateway-kit";
import { PATH_ROLES } from "@hawser/shared-protocol";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { sessionsOf } from "../model/report.ts";
import { type About, API_VERSION, about } from "../schemas/about.ts";
import { historySchema } from "../schemas/events.ts";
import { type FlowQuery, flowListSchema, flowName, flowQuery } from "../schemas/flows.ts";
import { jsonSchema } from "../schemas/shape.ts";
import {
  pathName,
  type RoleChange,
  type RoleRequest,
  reportSchema,
  roleChange,
  roleRequest,
} from "../schemas/status.ts";
import { done, failed, NOTHING } from "./answers.ts";
import { addEventRoutes } from "./event-routes.ts";
import { withoutInfinities } from "./finite.ts";
import { listFlows } from "./flow-list.ts";
import type { StatusHistory } from "./history.ts";
import { noSuchPath, notOffered, sendProblem } from "./problems.ts";
import type { StatusSource } from "./source.ts";
import { addTrialRoutes } from "./trial-routes.ts";

export function addApiRoutes(
  app: FastifyInstance,
  source: StatusSource,
  history: StatusHistory,
  logger: Logger,
  log: Recent<LogLine>,
): void {
  const answers = (summary: string, body: z.ZodType, query?: z.ZodType) => ({
    schema: {
      summary,
      ...(query && { querystring: jsonSchema(query) }),
      response: { 200: done(body), ...failed },
    },
  });

  app.get("/api", answers("The version of the API, and what this gateway can be asked to do.", about), () =>
    aboutApi(source),
  );
  app.get("/api/status", answers("The gateway, its sessions and their paths.", reportSchema), () =>
    withoutInfinities(source.status()),
  );
  app.get<{ Querystring: FlowQuery }>(
    "/api/flows",
    answers("The open flows.", flowListSchema, flowQuery),
    (request, reply) => {
      const { flows, total } = listFlows(source.flows(), request.query);
      return reply.header("x-total-count", total).send(withoutInfinities(flows));
    },
  );
  app.get(
    "/api/history",
    answers("Counters, rates and round-trip times of the paths over the last ten minutes.", historySchema),
    () => withoutInfinities(history.history()),
  );
  addEventRoutes(app, source, history, log);
  addRoleRoute(app, source);
  addFlowRoute(app, source, logger);
  addTrialRoutes(app, source, logger);
}

/** The URL that Fastify looks for: `/api/...` for `/api/v1/...`. */
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

function addRoleRoute(app: FastifyInstance, source: StatusSource): void {
  const schema = {
    summary: "Changes the role of a path at once.",
    params: jsonSchema(pathName),
    body: jsonSchema(roleRequest),
    response: { 200: done(roleChange), ...failed },
  };
  interface Route {
    Params: { name: string };
    Body: RoleRequest;
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
    summary: "Cuts an open flow.",
    params: jsonSchema(flowName),
    response: { 204: NOTHING, ...failed },
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
