/** Errors as RFC 9457 has them. */

import { STATUS_CODES } from "node:http";
import type { Logger } from "@hawser/gateway-kit";
import type { FastifyReply } from "fastify";
import type { Problem } from "../schemas/about.ts";

/** A request that cannot be granted, with the answer's status code (400 to 499) and, for the user, why. */
export class RequestError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** What was named is no path; those that are help to find the right one. */
export function noSuchPath(name: string, paths: readonly string[]): RequestError {
  return new RequestError(404, `there is no path ${JSON.stringify(name)}; the paths are ${paths.join(", ")}`);
}

export function sendProblem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).type("application/problem+json").send(problemBody(status, detail));
}

export function problemBody(status: number, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
}

/** `GET /api` says what is. */
export function notOffered(reply: FastifyReply, what: string): FastifyReply {
  return sendProblem(reply, 501, `${what} by this gateway`);
}

interface Told {
  readonly status: number;
  readonly detail: string;
}

/** What may be told of an error, once the log has what must not be. */
export function problemOf(error: unknown, url: string, logger: Logger): Told {
  const told = mayTell(error);
  if (told.status >= 500) logger.error({ err: error, url }, "status request failed");
  return told;
}

/** Of the request's own errors all, of the gateway's nothing but that there was one. */
function mayTell(error: unknown): Told {
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status === 415) return { status, detail: "send content-type: application/json" };
  if (error instanceof Error && status >= 400 && status < 500) return { status, detail: error.message };
  return { status: 500, detail: "the gateway failed to answer; its log says why" };
}
