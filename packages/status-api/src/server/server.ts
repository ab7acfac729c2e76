/** The status server of both gateways: what they say about themselves over HTTP, for their own machine's users. */

import type { AddressInfo, Socket } from "node:net";
import type { Logger, Recent } from "@hawser/gateway-kit";
import { AttemptLimit, descriptorsShort, keptLog, LimitedLog, type LogLine } from "@hawser/gateway-kit";
import { CodedError, ErrorCode, systemCode } from "@hawser/gateway-kit/config";
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

/** A request that takes longer to arrive is given up, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Between the answer to a request and the next one, ms. */
const IDLE_MS = 60_000;
const HTTP_TIMES = {
  // With Node's own, which is longer, the two change places: a body could take that long.
  headersTimeout: REQUEST_TIMEOUT_MS,
  // How often these are looked at; Node's own 30 s would be three times as long again.
  connectionsCheckingInterval: 1_000,
  // Followers of events whose machine is gone are found out after this much silence.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};
/** Largest body, bytes: they are like `{"role": "..."}`. */
const BODY_LIMIT = 1024;
/** Connections at a time, tunnels included: descriptors are the data's. */
const MAX_CONNECTIONS = 256;

/** Where the status server listens, and what it serves besides the API. */
export interface StatusServerOptions extends ConnectOptions {
  readonly listen: Endpoint;
  /** What clients must show, if anything. */
  readonly token?: Secret | undefined;
  readonly logger: Logger;
  /** What people see at `/`. */
  readonly pages?: Pages | undefined;
  /** The lines of the log that are still known. */
  readonly log?: Recent<LogLine> | undefined;
}

/** A running status server. */
export interface StatusServer {
  /** Where it really listens: the port is the kernel's choice if 0 was asked for. */
  readonly address: Endpoint;
  /** `http://HOST:PORT`, without a slash at its end. */
  readonly url: string;
  /** Ends open requests and tunnels. */
  close(): Promise<void>;
}

/** @throws CodedError STATUS_LISTEN when it cannot have its address. */
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
    // The guard below says what is wrong; Node would answer without a word.
    http: { requireHostHeader: false, ...HTTP_TIMES },
    rewriteUrl: ({ url = "/" }) => rewriteVersion(url),
    // What is wrong with a body is told, not mended.
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
  // JSON alone: a form or a text can be sent by any page without being asked.
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

/** At the descriptor limit the last ones are the gateway's own. */
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
    // Only HTTP/1.0 may do without: health checks of load balancers do, browsers never.
    if (headers.host === undefined && raw.httpVersion !== "1.0")
      return sendProblem(reply, 400, "a Host header is needed");
    if (headers.host !== undefined && !isOwnHost(headers.host, listen.host, socket.localAddress))
      return sendProblem(reply, 403, "the Host header is not an address of this server");
    if (!isOwnOrigin(method, headers)) return sendProblem(reply, 403, "other sites must not ask this server");
    return undefined;
  });
}

/**
 * RFC 6750, section 3: what is lacking; the one who guesses is told to wait (RFC 6585, section 4). The right token is
 * taken at any time: nobody guesses it, and others behind the same address must not lock its owner out.
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
  const schema = {
    summary: "Prometheus metrics",
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
    summary: "whether new connections are carried: at least one path is up, and the gateway is not stopping",
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
    // The server is a plain TCP one, so this is a socket.
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
    throw new CodedError(ErrorCode.statusListen, `status.listen: ${whyNot({ host, port }, error)}`, {
      cause: error,
    });
  }
  // A string only for pipes, null only before listening.
  const { address, port: real } = app.server.address() as AddressInfo;
  return { host: address, port: real };
}

function whyNot(listen: Endpoint, error: unknown): string {
  const address = formatEndpoint(listen);
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return `${address} is in use; choose another port or stop the program that has it`;
    case "EADDRNOTAVAIL":
      return `${address} is not an address of this machine; \`ip address\` lists them`;
    case "EACCES":
      return `${address} needs a privilege (CAP_NET_BIND_SERVICE); choose a port above 1023`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${address}: the name does not resolve; write an IP address`;
    default:
      return `cannot listen on ${address}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
