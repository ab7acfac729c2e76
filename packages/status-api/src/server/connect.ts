/** HTTP CONNECT on the status server: how `hawser-local connect` reaches the running gateway's session. */

import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { turnAway } from "@hawser/gateway-kit";
import type { Endpoint } from "@hawser/shared-protocol";
import { parseEndpoint, Secret } from "@hawser/shared-protocol";
import { showsToken } from "./guard.ts";

/**
 * Takes over a tunnel. It answers by `acceptConnect` once the destination is reached, or by `refuseConnect`, and closes
 * the socket in the end. `head` has the bytes that the client has already sent. The socket may be half open, and has a
 * listener for errors.
 */
export type OnConnect = (target: Endpoint, socket: Socket, head: Buffer) => void;

export interface ConnectOptions {
  readonly onConnect?: OnConnect | undefined;
  /** The token that a client must show; see `deriveConnectToken`. */
  readonly connectToken?: (() => string) | undefined;
}

/** Serves one CONNECT request. */
export function serveConnect(
  { onConnect, connectToken }: ConnectOptions,
  message: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  // Node no longer handles the errors of this socket; without a listener a reset would end the process.
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

/** Answers a CONNECT (RFC 9110, section 9.3.6): the tunnel is open. */
export function acceptConnect(socket: Socket): void {
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
}

/** By a status of HTTP: 403 not allowed, 502 refused or unreachable, 503 no path, 504 no answer in time. */
export function refuseConnect(socket: Socket, status: number, why: string, headers = ""): void {
  const body = `${why.replaceAll(/[^\x20-\x7e]/g, "?")}\n`;
  turnAway(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${headers}Content-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
