/** `status`: asks the running gateway, and shows what it says. */

import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "../../wire/frames.ts";
import { formatEndpoint, isWildcardHost } from "../config/endpoint.ts";
import { CodedError, ErrorCode } from "../config/errors.ts";
import type { Secret } from "../identity/secret.ts";
import { statusReportSchema } from "../status/schemas.ts";
import { renderStatus } from "./render-status.ts";

/** A gateway that takes longer to answer is in trouble, ms. */
const TIMEOUT_MS = 5000;
/** How often `--watch` asks, ms. */
const PERIOD_MS = 1000;
/** Cursor to the top left, and everything below it erased: no flicker, no scrolling. */
const REDRAW = "\x1b[H\x1b[J";

export interface StatusCommandOptions {
  /** The answer as it is, instead of a table; with `watch` one line each. */
  readonly json?: boolean | undefined;
  /** Again every second, until `signal` or SIGINT. */
  readonly watch?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the status server asks for. */
  readonly token?: Secret | undefined;
  readonly stdout?: StatusOutput | undefined;
}

interface StatusOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** `http://HOST:PORT` of a status server that listens there; of every address the loopback one. */
export function statusUrl({ host, port }: Endpoint): string {
  const reachable = isWildcardHost(host) ? (host.includes(":") ? "::1" : "127.0.0.1") : host;
  return `http://${formatEndpoint({ host: reachable, port })}`;
}

/** @throws CodedError STATUS_UNREACHABLE; with `watch` it is shown instead, until there is an answer. */
export async function statusCommand(url: string, options: StatusCommandOptions = {}): Promise<void> {
  const stdout = options.stdout ?? process.stdout;
  if (options.watch) return watchStatus(url, options, stdout);
  const answer = await fetchStatus(url, options.token);
  stdout.write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : render(url, answer));
}

async function watchStatus(
  url: string,
  { json, signal, token }: StatusCommandOptions,
  stdout: StatusOutput,
): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  const stop = AbortSignal.any([interrupt.signal, ...(signal ? [signal] : [])]);
  try {
    while (!stop.aborted) {
      const frame = await nextFrame(url, json === true, token);
      stdout.write(stdout.isTTY && !json ? REDRAW + frame : frame);
      await sleep(PERIOD_MS, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    process.removeListener("SIGINT", onInterrupt);
  }
}

async function nextFrame(url: string, json: boolean, token: Secret | undefined): Promise<string> {
  try {
    const answer = await fetchStatus(url, token);
    return json ? `${JSON.stringify(answer)}\n` : render(url, answer);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return json ? `${JSON.stringify({ error: error.message })}\n` : `${error.message}\n`;
  }
}

function render(url: string, answer: unknown): string {
  const report = statusReportSchema.safeParse(answer);
  if (report.success) return renderStatus(report.data);
  throw unreachable(url, "what answers is not a hawser gateway of this version");
}

/** The answer of `GET /api/status`. @throws CodedError STATUS_UNREACHABLE */
export function fetchStatus(url: string, token?: Secret): Promise<unknown> {
  const headers = token ? { authorization: `Bearer ${token.reveal().toString("utf8")}` } : {};
  return new Promise((resolve, reject) => {
    // Without an agent no connection is kept, which would keep the process.
    const asked = get(`${url}/api/status`, { headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        body += piece;
      });
      response.on("end", () => {
        const answer = response.statusCode === 200 ? parseJson(body) : undefined;
        if (answer !== undefined) resolve(answer);
        else reject(unreachable(url, whyRefused(response.statusCode)));
      });
      response.on("error", (error) => reject(unreachable(url, error.message)));
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    asked.on("error", (error) => reject(unreachable(url, whyNoAnswer(error))));
  });
}

function whyRefused(status: number | undefined): string {
  if (status === 401) return "the gateway does not accept the token; was it started with this configuration?";
  if (status === 429) return "the gateway was shown too many wrong tokens; wait a minute";
  return `what answers is not a hawser gateway (HTTP ${status})`;
}

function whyNoAnswer(error: Error): string {
  if ("code" in error && error.code === "ECONNREFUSED")
    return "nothing listens there; is the gateway running?";
  return error.message;
}

function unreachable(url: string, why: string): CodedError {
  const address = url.replace(/^http:\/\//, "");
  return new CodedError(
    ErrorCode.statusUnreachable,
    `${address}: ${why} (status.listen in its file says where)`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
