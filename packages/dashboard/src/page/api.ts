/** Requests to the gateway that serves this page. */

import type { Problem } from "@hawser/status-api/client";
import { type ServerEvent, serverEvents } from "@hawser/status-api/model";

/** Where the browser keeps the token that the gateway asks for: for this tab, until it is closed. */
const TOKEN_KEY = "hawser-token";
/** An answer that takes longer is given up, ms. */
const TIMEOUT_MS = 10_000;

/** The gateway wants a token, or another one. */
export class TokenNeeded extends Error {}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function hasToken(): boolean {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

/** @throws TokenNeeded; Error with what the gateway said, or that it said nothing */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  const answer = await fetch(path, { ...init, headers });
  if (answer.ok) return answer;
  const detail = await detailOf(answer);
  throw answer.status === 401 ? new TokenNeeded(detail) : new Error(detail);
}

export async function get<T>(path: string): Promise<T> {
  const answer = await request(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return (await answer.json()) as T;
}

/** A request that changes something. */
export async function send(method: "PATCH" | "DELETE", path: string, body?: unknown): Promise<void> {
  await request(path, { method, ...(body !== undefined && jsonOf(body)) });
}

/** The part of a request that has a body. */
export function jsonOf(body: unknown): RequestInit {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** What comes as server-sent events until the body ends. @throws as `request`; what it was aborted with */
export async function* events(path: string, init: RequestInit): AsyncGenerator<ServerEvent> {
  const headers = new Headers(init.headers);
  headers.set("accept", "text/event-stream");
  const { body } = await request(path, { ...init, headers });
  yield* serverEvents(bytesOf(body as ReadableStream<Uint8Array>));
}

/** A body as an iterable, where the browser's streams are none yet. */
async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function detailOf(answer: Response): Promise<string> {
  try {
    return ((await answer.json()) as Problem).detail;
  } catch {
    return `it answered ${answer.status}`;
  }
}
