/** The status server of both gateways: what they say about themselves over HTTP, for their own machine's users. */

import type { AddressInfo, Socket } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Endpoint } from "../../wire/frames.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import { CodedError, ErrorCode } from "../config/errors.ts";
import { systemCode } from "../config/secret-file.ts";
import type { Logger } from "../log.ts";
import { addApiRoutes, rewriteVersion } from "./api-routes.ts";
import { type ConnectOptions, serveConnect } from "./connect.ts";
import { asset } from "./dashboard/assets.ts";
import { dashboardPage, docsPage, type Page } from "./dashboard/page.ts";
import { isOwnHost, isOwnOrigin, SECURITY_HEADERS } from "./guard.ts";
import { healthOf } from "./health.ts";
import { StatusHistory } from "./history.ts";
import { createMetrics } from "./metrics.ts";
import { documentRoutes, openApiDocument, recordRoutes } from "./openapi.ts";
import { problemOf, sendProblem } from "./problems.ts";
import { JsonSchema } from "./schemas.ts";
import type { StatusSource } from "./types.ts";

/** A request that takes longer to arrive is given up, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Largest body, bytes: they are like `{"role": "..."}`. */
const BODY_LIMIT = 1024;
/** Connections at a time, tunnels included: descriptors are the data's. */
const MAX_CONNECTIONS = 256;

export interface StatusServerOptions extends ConnectOptions {
  readonly listen: Endpoint;
  readonly logger: Logger;
}

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
  const { listen, logger, onConnect, connectToken } = options;
  if (onConnect && connectToken === undefined) throw new TypeError("onConnect needs a connectToken");
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    rewriteUrl: ({ url = "/" }) => rewriteVersion(url),
    // What is wrong with a body is told, not mended.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  // JSON alone: a form or a text can be sent by any page without being asked.
  app.removeContentTypeParser("text/plain");
  addGuards(app, listen);
  addErrorAnswers(app, logger);
  const history = new StatusHistory(source, (error) => logger.error({ err: error }, "no snapshot was taken"));
  app.addHook("onClose", async () => history.close());
  addRoutes(app, source, history);
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

function addGuards(app: FastifyInstance, listen: Endpoint): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    const { headers, method, socket } = request;
    if (!isOwnHost(headers.host, listen.host, socket.localAddress)) {
      return sendProblem(reply, 403, "the Host header is not an address of this server");
    }
    if (method !== "GET" && method !== "HEAD" && !isOwnOrigin(headers)) {
      return sendProblem(reply, 403, "requests that change something must not come from another site");
    }
    return undefined;
  });
}

function addErrorAnswers(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, 404, `there is no ${request.method} ${request.url}`),
  );
  app.setErrorHandler((error, request, reply) => {
    const { status, detail } = problemOf(error);
    if (status >= 500) logger.error({ err: error, url: request.url }, "status request failed");
    return sendProblem(reply, status, detail);
  });
}

function addRoutes(app: FastifyInstance, source: StatusSource, history: StatusHistory): void {
  const routes = recordRoutes(app);
  const metrics = createMetrics(source);
  const answers = (summary: string, ok: unknown) => ({
    schema: { summary, response: { 200: ok, "4xx": JsonSchema.problem, "5xx": JsonSchema.problem } },
  });

  app.get("/", answers("the dashboard", JsonSchema.text), (_, reply) => sendPage(reply, dashboardPage));
  app.get<{ Params: { "*": string } }>(
    "/assets/*",
    answers("the dashboard's parts", JsonSchema.text),
    (request, reply) => sendAsset(request, reply),
  );
  addApiRoutes(app, source, history);
  const health = {
    summary: "whether at least one path is up",
    response: { 200: JsonSchema.health, 503: JsonSchema.health },
  };
  app.get("/healthz", { schema: health }, (_, reply) => {
    const now = healthOf(source.status());
    return reply.code(now.status === "up" ? 200 : 503).send(now);
  });
  app.get("/metrics", answers("Prometheus metrics", JsonSchema.text), async (_, reply) => {
    return reply.type(metrics.contentType).send(await metrics.scrape());
  });
  app.get("/docs", answers("this page", JsonSchema.text), (_, reply) =>
    sendPage(reply, docsPage(documentRoutes(routes))),
  );
  app.get("/docs/json", answers("the OpenAPI document", JsonSchema.document), () =>
    openApiDocument(routes, source.status().version),
  );
}

function sendPage(reply: FastifyReply, { html, policy }: Page): FastifyReply {
  return reply.type("text/html; charset=utf-8").header("content-security-policy", policy).send(html);
}

function sendAsset(request: FastifyRequest<{ Params: { "*": string } }>, reply: FastifyReply): FastifyReply {
  const found = asset(request.params["*"]);
  if (!found) return sendProblem(reply, 404, `there is no GET ${request.url}`);
  reply.type(found.type).header("vary", "accept-encoding");
  if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(found.body);
  return reply.header("content-encoding", "gzip").send(found.gzipped);
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
