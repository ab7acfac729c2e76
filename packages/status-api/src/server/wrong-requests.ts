/** Requests that get no further than to the server: of no route, against a schema, or no HTTP at all. */

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

/** For Fastify: what is wrong with a body or query, in the user's terms. */
export function schemaErrorFormatter(errors: FastifySchemaValidationError[], where: string): Error {
  // Where nothing at all will do as well, that it is not nothing is no help.
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

/** For Fastify: a URL that cannot be decoded, or a name in it that is none for its length. No hook has run. */
export function frameworkErrors({ code }: FastifyError, _: FastifyRequest, reply: FastifyReply): void {
  const [status, detail] =
    code === "FST_ERR_MAX_PARAM_LENGTH"
      ? ([414, "a name in the URL is too long"] as const)
      : ([400, "the URL is malformed: after % two hexadecimal digits are due"] as const);
  sendProblem(reply.headers(SECURITY_HEADERS), status, detail);
}

/** What Node's parser could not make a request of: status and detail, by the error's code. */
const UNREADABLE: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", [408, "the request did not arrive in time"]],
  ["HPE_HEADER_OVERFLOW", [431, "the header is too large"]],
  // RFC 9110, section 15.6.2.
  ["HPE_INVALID_METHOD", [501, "there is no such method in HTTP/1.1"]],
]);

/** The answer to the last request of each connection. */
const lastAnswers = new WeakMap<Socket, ServerResponse>();

/** For the server's "request": `clientErrorHandler` must know what is under way. */
export function noteRequest({ socket }: IncomingMessage, answer: ServerResponse): void {
  lastAnswers.set(socket, answer);
}

/** For Fastify: bytes that are no request. */
export function clientErrorHandler(error: ConnectionError, socket: Socket): void {
  // Reset by the client, or answered already.
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

/** Whether what is written now would be taken for an earlier request's answer, or for a part of it. */
function owesAnswer(socket: Socket): boolean {
  const answer = lastAnswers.get(socket);
  if (!answer || answer.writableFinished) return false;
  // A request that is not complete is itself what cannot be read, unless its answer waits for that of one before it.
  return answer.headersSent || answer.req.complete || answer.socket !== socket;
}

/** No route is for this method and URL: 405 when others are for the URL (RFC 9110, section 15.5.6). */
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
