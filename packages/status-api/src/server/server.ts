/** The status server of both gateways: what they say about themselves over HTTP, for their own machine's users. */

import type { AddressInfo, Socket } from "node:net";
import type { Logger, Recent } from "@hawser/gateway-kit";
import {
  AttemptLimit,
  descriptorsShort,
  keptLog,
  LimitedLog,
  type LogLine,
  whyNotListening,
} from "@hawser/gateway-kit";
import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import type { Endpoint, Secret } from "@hawser/shared-protocol";
import { formatEndpoint } from "@hawser/shared-protocol";
import Fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import { health } from "../schemas/about.ts";
import { done, failed } from "./answers.ts";
import { addApiRoutes, rewriteVersion } from "./api-routes.ts";
import { type ConnectOptions, serveConnect } from "./connect.ts";
import {
  bearerOf,
  HEALTH_ROUTE,
  isOpenToAll,
  isOwnHost,
  isOwnOrigin,
  SECURITY_HEADERS,
  showsToken,
} from "./guard.ts";
import { healthOf } from "./health.ts";
import { StatusHistory } from "./history.ts";
import { createMetrics } from "./metrics.ts";
import { documentRoutes } from "./openapi.ts";
import { addDashboardRoutes, addDocsRoutes } from "./page-routes.ts";
import type { Pages } from "./pages.ts";
import { problemOf, sendProblem } from "./problems.ts";
import { limitSilentConnections } from "./silent-connections.ts";
import type { StatusSource } from "./source.ts";
import { endUnreadAnswers } from "./unread-answers.ts";
import {
  answerUnrouted,
  clientErrorHandler,
  frameworkErrors,
  noteRequest,
  schemaErrorFormatter,
} from "./wrong-requests.ts";

/** A request must arrive whole within this time, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A connection without a request is closed after this time, ms. */
const IDLE_MS = 60_000;
const HTTP_TIMES = {
  // Node swaps the two when the time for headers is the longer one, and its own is: a body could then take 60 s.
  headersTimeout: REQUEST_TIMEOUT_MS,
  // How often Node looks for requests that are late. Its own 30 s would be three times the deadline.
  connectionsCheckingInterval: 5_000,
  // The kernel asks after this silence whether the machine of a reader of events is still there.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};
/** Largest body, bytes. Bodies are as short as `{"role": "..."}`. */
const BODY_LIMIT = 1024;
/** Connections at a time, tunnels included: most descriptors are for flows. */
const MAX_CONNECTIONS = 256;

/** Where the status server listens, and what it serves besides the API. */
export interface StatusServerOptions extends ConnectOptions {
  readonly listen: Endpoint;
  /** Clients must show it; without one they need not show anything. */
  readonly token?: Secret | undefined;
  readonly logger: Logger;
  /** The dashboard. Without it there is nothing at `/`. */
  readonly pages?: Pages | undefined;
  /** The last lines of the log, for `GET /api/logs`. */
  readonly log?: Recent<LogLine> | undefined;
}

/** A running status server. */
export interface StatusServer {
  /** Where it listens. The kernel has chosen the port if port 0 was configured. */
  readonly address: Endpoint;
  /** `http://HOST:PORT`, without a slash at its end. */
  readonly url: string;
  /** Ends open requests and tunnels. */
  close(): Promise<void>;
}

/** @throws CodedError STATUS_LISTEN when it cannot listen at its address. */
export async function createStatusServer(
  source: StatusSource,
  options: StatusServerOptions,
): Promise<StatusServer> {
  const { listen, token, logger, onConnect, connectToken } = options;
  if (onConnect && connectToken === undefined) throw new TypeError("onConnect needs a connectToken");
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: true,
    // The guard below explains that the header is missing; Node would answer 400 without a body.
    http: { requireHostHeader: false, ...HTTP_TIMES },
    rewriteUrl: ({ url = "/" }) => rewriteVersion(url),
    // A wrong body is refused with an explanation, never changed to fit.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    schemaErrorFormatter,
    frameworkErrors,
    clientErrorHandler,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  limitSilentConnections(app.server);
  endUnreadAnswers(app.server);
  app.server.prependListener("request", noteRequest);
  turnAwayWhenShort(app, logger);
  // Only JSON: browsers let any page send a form or plain text elsewhere without asking first.
  app.removeContentTypeParser("text/plain");
  addGuards(app, listen);
  if (token) addTokenGuard(app, token, logger);
  addErrorAnswers(app, logger);
  const history = new StatusHistory(source, (error) => logger.error({ err: error }, "no snapshot was taken"));
  app.addHook("onClose", async () => history.close());
  await documentRoutes(app);
  addRoutes(app, source, history, options);
  const tunnels = addTunnels(app, options);
  const address = await listenOn(app, listen);
  return {
    address,
    url: `http://${formatEndpoint(address)}`,
    async close() {
      for (const tunnel of tunnels) tunnel.destroy();
      await app.close();
    },
  };
}

/** Refuses connections while few file descriptors are left: flows need those. */
function turnAwayWhenShort(app: FastifyInstance, logger: Logger): void {
  const log = new LimitedLog(logger);
  app.server.prependListener("connection", (socket: Socket) => {
    if (!descriptorsShort("status")) return;
    log.write("short", "warn", { listener: "status.listen" }, "descriptors run short: turned a request away");
    socket.destroy();
  });
}

function addGuards(app: FastifyInstance, listen: Endpoint): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    const { headers, method, socket, raw } = request;
    // HTTP/1.0 allows it to be missing. Health checks of load balancers use that version, browsers never do.
    if (headers.host === undefined && raw.httpVersion !== "1.0")
      return sendProblem(reply, 400, "a Host header is needed");
    if (headers.host !== undefined && !isOwnHost(headers.host, listen.host, socket.localAddress))
      return sendProblem(reply, 403, "the Host header is not an address of this server");
    if (!isOwnOrigin(method, headers)) return sendProblem(reply, 403, "other sites must not ask this server");
    return undefined;
  });
}

/**
 * Asks for the token (RFC 6750, section 3). An address that shows wrong tokens is told to wait (RFC 6585, section 4).
 * The right token is accepted even then: it is too long to be guessed, and others behind the same address must not lock
 * its owner out.
 */
function addTokenGuard(app: FastifyInstance, token: Secret, logger: Logger): void {
  const attempts = new AttemptLimit();
  const log = new LimitedLog(logger);
  app.addHook("onRequest", async (request, reply) => {
    if (isOpenToAll(request.method, request.routeOptions.url)) return undefined;
    const { ip, headers } = request;
    if (showsToken(headers.authorization, token)) return undefined;
    const isWrong = bearerOf(headers.authorization) !== undefined;
    if (isWrong) {
      const now = performance.now();
      const wait = attempts.waitFor(ip, now);
      attempts.handleFailure(ip, now);
      log.write("token", "warn", { from: ip }, "a status request showed a wrong token");
      if (wait > 0) {
        reply.header("retry-after", Math.ceil(wait / 1_000));
        return sendProblem(reply, 429, "too many wrong tokens from this address; use the right one");
      }
    }
    reply.header("www-authenticate", `Bearer realm="hawser"${isWrong ? ', error="invalid_token"' : ""}`);
    const how = "status.token of its configuration, as: Authorization: Bearer TOKEN";
    return sendProblem(reply, 401, `${isWrong ? "the token is wrong" : "a token is needed"}: ${how}`);
  });
}

function addErrorAnswers(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, detail } = problemOf(error, request.url, logger);
    return sendProblem(reply, status, detail);
  });
}

function addRoutes(
  app: FastifyInstance,
  source: StatusSource,
  history: StatusHistory,
  { token, logger, pages, log = keptLog() }: StatusServerOptions,
): void {
  app.setNotFoundHandler((request, reply) => answerUnrouted(app, request, reply));
  addApiRoutes(app, source, history, logger, log);
  addHealthRoute(app, source, token);
  const metrics = createMetrics(source);
  app.addHook("onClose", async () => metrics.close());
  const schema = {
    summary: "Metrics as Prometheus reads them.",
    response: { 200: done(z.string(), "text/plain"), ...failed },
  };
  app.get("/metrics", { schema }, async (_, reply) => {
    return reply.type(metrics.contentType).send(await metrics.scrape());
  });
  if (pages) addDashboardRoutes(app, pages);
  addDocsRoutes(app, source);
}

function addHealthRoute(app: FastifyInstance, source: StatusSource, token: Secret | undefined): void {
  const schema = {
    summary: "Whether the gateway carries new connections: 200, or 503 with the reason.",
    response: {
      200: done(health),
      503: { ...done(health), description: "refused or failed" },
    },
  };
  app.get(HEALTH_ROUTE, { schema }, (request, reply) => {
    const now = healthOf(source.status(), source.isStopping);
    const mayKnowWhy = !token || showsToken(request.headers.authorization, token);
    return reply.code(now.status === "up" ? 200 : 503).send(mayKnowWhy ? now : { status: now.status });
  });
}

function addTunnels(app: FastifyInstance, options: ConnectOptions): ReadonlySet<Socket> {
  const tunnels = new Set<Socket>();
  app.server.on("connect", (message, stream, head) => {
    // The type is Duplex for the sake of TLS; this server has none.
    const socket = stream as Socket;
    tunnels.add(socket);
    socket.once("close", () => tunnels.delete(socket));
    serveConnect(options, message, socket, head);
  });
  return tunnels;
}

async function listenOn(app: FastifyInstance, { host, port }: Endpoint): Promise<Endpoint> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const why = whyNotListening({ host, port }, error as Error);
    throw new CodedError(ErrorCode.statusListen, `status.listen: ${why}`, { cause: error });
  }
  // A server that listens at a port has an AddressInfo.
  const { address, port: real } = app.server.address() as AddressInfo;
  return { host: address, port: real };
}
