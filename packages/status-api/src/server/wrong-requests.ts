/** Requests that reach no route: wrong by their schema, for a URL without a route, or not HTTP at all. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type {
  ConnectionError,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from "fastify";
import { PATTERN_NAMES } from "../schemas/numbers.ts";
import { SECURITY_HEADERS } from "./guard.ts";
import { methodsOf } from "./openapi.ts";
import { problemBody, sendProblem } from "./problems.ts";

/** For Fastify: what is wrong with a body or query, in the user's words. */
export function schemaErrorFormatter(errors: FastifySchemaValidationError[], where: string): Error {
  // A body that may be missing is "an object or null" to the validator. That it is not null helps nobody.
  const helpful = errors.filter(({ keyword, params }) => keyword !== "anyOf" && params["type"] !== "null");
  return new Error(helpful.map((error) => whatIsWrong(error, where)).join("; "));
}

function whatIsWrong(error: FastifySchemaValidationError, where: string): string {
  const { keyword, instancePath, params, message } = error;
  const name = `${where}${instancePath}`;
  switch (keyword) {
    case "enum":
      return `${name} must be one of ${(params["allowedValues"] as string[]).join(", ")}`;
    case "pattern":
      return `${name} must be ${PATTERN_NAMES.get(String(params["pattern"]))}`;
    case "additionalProperties":
      return `${name} must not have ${JSON.stringify(params["additionalProperty"])}`;
    default:
      return `${name} ${message}`;
  }
}

/** For Fastify: a URL that cannot be decoded, or that has too long a name. No hook has run, so headers are set here. */
export function frameworkErrors({ code }: FastifyError, _: FastifyRequest, reply: FastifyReply): void {
  const [status, detail] =
    code === "FST_ERR_MAX_PARAM_LENGTH"
      ? ([414, "a name in the URL is too long"] as const)
      : ([400, "the URL is malformed: after % two hexadecimal digits are due"] as const);
  sendProblem(reply.headers(SECURITY_HEADERS), status, detail);
}

/** Errors of Node's HTTP parser, by code: the status and the detail of the answer. */
const UNREADABLE: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", [408, "the request did not arrive in time"]],
  ["HPE_HEADER_OVERFLOW", [431, "the header is too large"]],
  // RFC 9110, section 15.6.2.
  ["HPE_INVALID_METHOD", [501, "there is no such method in HTTP/1.1"]],
]);

/** The answer to the last request of each connection. */
const lastAnswers = new WeakMap<Socket, ServerResponse>();

/** For the server's "request": `clientErrorHandler` must know which answer is under way. */
export function noteRequest({ socket }: IncomingMessage, answer: ServerResponse): void {
  lastAnswers.set(socket, answer);
}

/** For Fastify: bytes that are not a request. */
export function clientErrorHandler(error: ConnectionError, socket: Socket): void {
  // The client has reset the connection, or it is answered already.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (owesAnswer(socket)) return void socket.destroy();
  const [status, detail] = UNREADABLE.get(error.code) ?? [400, "this is not a request of HTTP/1.1"];
  const body = JSON.stringify(problemBody(status, detail));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  if (socket.writable) socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.destroy();
}

/** Whether the client would take what is written now for the answer to an earlier request, or for a part of it. */
function owesAnswer(socket: Socket): boolean {
  const answer = lastAnswers.get(socket);
  if (!answer || answer.writableFinished) return false;
  // An incomplete request is the one that cannot be read; it may be answered unless an earlier answer must come first.
  return answer.headersSent || answer.req.complete || answer.socket !== socket;
}

/** No route has this method and URL: 405 if the URL takes other methods (RFC 9110, section 15.5.6), else 404. */
export function answerUnrouted(
  app: FastifyInstance,
  { method, url }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const [path = ""] = url.split("?");
  const allowed = methodsOf(app, path).join(", ");
  if (allowed === "") return sendProblem(reply, 404, `there is no ${method} ${url}`);
  return sendProblem(reply.header("allow", allowed), 405, `${path} takes ${allowed}, not ${method}`);
}
