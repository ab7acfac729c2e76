/** Errors as problems of RFC 9457. */

import { STATUS_CODES } from "node:http";
import type { Logger } from "@hawser/gateway-kit";
import type { FastifyReply } from "fastify";
import type { Problem } from "../schemas/about.ts";

/** A request that cannot be granted: the status code of the answer (400 to 499), and the reason for the user. */
export class RequestError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** The request named no path of this gateway; the message lists the paths. */
export function noSuchPath(name: string, paths: readonly string[]): RequestError {
  return new RequestError(404, `there is no path ${JSON.stringify(name)}; the paths are ${paths.join(", ")}`);
}

export function sendProblem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).type("application/problem+json").send(problemBody(status, detail));
}

export function problemBody(status: number, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
}

/** Status 501: this gateway never does it. `GET /api` tells clients beforehand. */
export function notOffered(reply: FastifyReply, what: string): FastifyReply {
  return sendProblem(reply, 501, `${what} by this gateway`);
}

interface Told {
  readonly status: number;
  readonly detail: string;
}

/** What the client is told of an error. The log gets the whole error when it is one of the gateway itself. */
export function problemOf(error: unknown, url: string, logger: Logger): Told {
  const told = mayTell(error);
  if (told.status >= 500) logger.error({ err: error, url }, "status request failed");
  return told;
}

/** An error of the request is explained; of an error of the gateway only that it happened. */
function mayTell(error: unknown): Told {
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status === 415) return { status, detail: "send content-type: application/json" };
  if (error instanceof Error && status >= 400 && status < 500) return { status, detail: error.message };
  return { status: 500, detail: "the gateway failed to answer; its log says why" };
}
