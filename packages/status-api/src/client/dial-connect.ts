import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import type { Endpoint } from "@hawser/shared-protocol";
import { formatEndpoint } from "@hawser/shared-protocol";

/** The gateway must answer within this time, ms. */
const ANSWER_TIMEOUT_MS = 60_000;

/** At most so much is read of the reason of a refusal, bytes. */
const MAX_REFUSAL = 1024;

/** The client's side of HTTP CONNECT: a socket to `target`, through the gateway whose status server is at `server`. */
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

/** Reads the body of a refusal, which is one line. What is longer is cut off. */
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
