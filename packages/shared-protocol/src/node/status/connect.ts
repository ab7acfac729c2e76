/** HTTP CONNECT on the status server: how `hawser-local connect` reaches the running gateway's session. */

import { type IncomingMessage, request, STATUS_CODES } from "node:http";
import { connect, type Socket } from "node:net";
import type { Endpoint } from "../../wire/frames.ts";
import { formatEndpoint, parseEndpoint } from "../config/endpoint.ts";
import { CodedError, ErrorCode } from "../config/errors.ts";
import { Secret } from "../identity/secret.ts";
import { turnAway } from "../limits/turn-away.ts";
import { showsToken } from "./guard.ts";

/** A client that waits longer than this for its answer is told that there is none, ms. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Longest explanation of a refusal that is read, bytes. */
const MAX_REFUSAL = 1024;

/**
 * Takes over a tunnel. Answer with `acceptConnect` once the destination is reached, or with `refuseConnect`; `head`
 * is what the client sent ahead. The socket is half-open capable and has an error listener; close it in the end.
 */
export type OnConnect = (target: Endpoint, socket: Socket, head: Buffer) => void;

export interface ConnectOptions {
  readonly onConnect?: OnConnect | undefined;
  /** What a client must show; see `deriveConnectToken`. */
  readonly connectToken?: (() => string) | undefined;
}

/** Serves one CONNECT request. */
export function serveConnect(
  { onConnect, connectToken }: ConnectOptions,
  message: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  // The HTTP parser has let go of the socket; whoever resets it must not end the process.
  socket.on("error", () => socket.destroy());
  if (!onConnect || connectToken === undefined)
    return refuseConnect(socket, 405, "tunnels are not served here");
  if (!showsToken(message.headers["proxy-authorization"], Secret.fromText(connectToken()))) {
    const what =
      "wrong or no token: tunnels are for hawser-local connect; other programs use the SOCKS5 port";
    return refuseConnect(socket, 407, what, 'Proxy-Authenticate: Bearer realm="hawser"\r\n');
  }
  const target = parseEndpoint(message.url ?? "");
  if (!target.ok) return refuseConnect(socket, 400, target.problem);
  onConnect(target.value, socket, head);
}

export function acceptConnect(socket: Socket): void {
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
}

/** `status` is an HTTP one: 403 not allowed, 502 refused or unreachable, 503 no path, 504 timeout. */
export function refuseConnect(socket: Socket, status: number, why: string, headers = ""): void {
  const body = `${why.replaceAll(/[^\x20-\x7e]/g, "?")}\n`;
  turnAway(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${headers}Content-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The client's side: a socket to `target`, through the gateway whose status server is at `server`. */
export function dialConnect(server: Endpoint, token: string, target: Endpoint): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const authority = formatEndpoint(target);
  const dial = request({
    method: "CONNECT",
    path: authority,
    headers: { host: authority, "proxy-authorization": `Bearer ${token}` },
    // Half-open, so that the end of stdin does not end the answer.
    createConnection: () => connect({ host: server.host, port: server.port, allowHalfOpen: true }),
    timeout: ANSWER_TIMEOUT_MS,
  });
  dial.on("connect", (response, socket: Socket, head) => {
    socket.setTimeout(0);
    if (response.statusCode !== 200) {
      readRefusal(socket, head, (body) => {
        reject(new CodedError(ErrorCode.connectRefused, `${authority}: ${whyRefused(response, body)}`));
      });
      return;
    }
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  dial.on("timeout", () => dial.destroy(new Error("no answer in time")));
  dial.on("error", (error) => {
    const mend = `${formatEndpoint(server)}: no gateway answers (${error.message}); is hawser-local running?`;
    reject(new CodedError(ErrorCode.statusUnreachable, mend, { cause: error }));
  });
  dial.end();
  return promise;
}

/** What follows a refusal up to its end; a server that says more than a line is cut short. */
function readRefusal(socket: Socket, head: Buffer, done: (body: string) => void): void {
  let body = head.toString("latin1");
  socket.on("data", (bytes) => {
    body += bytes.toString("latin1");
    if (body.length > MAX_REFUSAL) socket.destroy();
  });
  socket.on("end", () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("close", () => done(body.slice(0, MAX_REFUSAL).trim()));
}

function whyRefused({ statusCode, statusMessage }: IncomingMessage, body: string): string {
  if (statusCode === 407)
    return "the gateway does not accept the token; is it running with this configuration?";
  return body === "" ? `refused (${statusCode} ${statusMessage})` : body;
}
