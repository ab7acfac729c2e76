/** A client of the status server, for commands. */

import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { StatusConfig } from "@hawser/gateway-kit/config";
import { CodedError, ErrorCode, parseJson } from "@hawser/gateway-kit/config";
import type { Endpoint, Secret } from "@hawser/shared-protocol";
import { formatEndpoint, isWildcardHost } from "@hawser/shared-protocol";
import { type ServerEvent, serverEvents } from "../model/server-events.ts";

/** A gateway must answer within this time, ms. */
const TIMEOUT_MS = 5_000;

export interface Question {
  readonly method?: "GET" | "PATCH" | "POST" | "DELETE";
  readonly body?: unknown;
  /** An abort closes the connection, which ends a drill or a speed test. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks a running gateway through its status server. */
export class GatewayApi {
  /** `http://HOST:PORT` of the status server; the loopback address where it listens at every address. */
  readonly url: string;
  readonly #token: Secret | undefined;

  constructor({ listen, token }: Pick<StatusConfig, "listen" | "token">) {
    this.url = statusUrl(listen);
    this.#token = token;
  }

  /** The JSON of the answer; undefined when the answer has no body. @throws CodedError STATUS_UNREACHABLE or, when it was refused, STATUS_REFUSED */
  async ask(path: string, question: Question = {}): Promise<unknown> {
    const response = await this.#send(path, "application/json", question);
    const body = await this.#readAll(response);
    if (response.statusCode === 204) return undefined;
    const answer = parseJson(body);
    if (response.statusCode === 200 && answer !== undefined) return answer;
    throw this.#refused(response.statusCode, answer);
  }

  /** Server-sent events, until the gateway or the signal ends them, or the connection is lost. @throws as `ask`, before the first */
  async *events(path: string, question: Question = {}): AsyncGenerator<ServerEvent> {
    const response = await this.#send(path, "text/event-stream", question);
    if (response.statusCode !== 200)
      throw this.#refused(response.statusCode, parseJson(await this.#readAll(response)));
    try {
      yield* serverEvents(response as AsyncIterable<Uint8Array>);
    } catch {
      // A lost connection ends the events, too: a gateway that restarts closes it.
    }
  }

  #send(path: string, accept: string, { method = "GET", body, signal }: Question): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept,
      ...(this.#token && { authorization: `Bearer ${this.#token.reveal().toString("utf8")}` }),
      ...(text !== undefined && { "content-type": "application/json" }),
    };
    return new Promise((resolve, reject) => {
      // Without an agent no connection is kept, which would keep the process.
      const options = { method, headers, agent: false, ...(signal && { signal }) };
      const asked: ClientRequest = request(`${this.url}${path}`, options, resolve);
      // What takes its time (a drill) is asked for with a signal.
      if (!signal)
        asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1_000} s`)));
      asked.on("error", (error) => reject(this.#unreachable(whyNoAnswer(error))));
      asked.end(text);
    });
  }

  async #readAll(response: IncomingMessage): Promise<string> {
    let body = "";
    try {
      for await (const piece of response.setEncoding("utf8") as AsyncIterable<string>) body += piece;
    } catch (error) {
      throw this.#unreachable((error as Error).message);
    }
    return body;
  }

  #refused(status: number | undefined, answer: unknown): CodedError {
    if (status === 401 || status === 429)
      return this.#unreachable(
        "the gateway does not accept the token; was it started with this configuration?",
      );
    const detail = detailOf(answer);
    if (detail === undefined)
      return this.#unreachable(`what answers is not a hawser gateway (HTTP ${status})`);
    return new CodedError(ErrorCode.statusRefused, detail);
  }

  #unreachable(why: string): CodedError {
    return unreachable(this.url, why);
  }
}

export function statusUrl({ host, port }: Endpoint): string {
  const reachable = isWildcardHost(host) ? (host.includes(":") ? "::1" : "127.0.0.1") : host;
  return `http://${formatEndpoint({ host: reachable, port })}`;
}

/** The error STATUS_UNREACHABLE for the server at `url`; `why` says what happened there. */
export function unreachable(url: string, why: string): CodedError {
  const address = url.replace(/^http:\/\//, "");
  return new CodedError(
    ErrorCode.statusUnreachable,
    `${address}: ${why} (status.listen in its file says where)`,
  );
}

function whyNoAnswer(error: Error): string {
  if ("code" in error && error.code === "ECONNREFUSED")
    return "nothing listens there; is the gateway running?";
  return error.message;
}

/** The explanation of a problem (RFC 9457). */
function detailOf(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("detail" in answer)) return undefined;
  return String(answer.detail);
}
