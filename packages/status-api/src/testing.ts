/** For tests: a sample of what a gateway reports, and requests to its status server. */

import assert from "node:assert/strict";
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import type { FlowStatus } from "./schemas/flows.ts";
import type { LocalStatusReport, PathStatus } from "./schemas/status.ts";
import { type Pages, pagePolicy } from "./server/pages.ts";

export { EVENT_TYPES } from "./model/values.ts";

/** A page, and a file that it loads. */
export const samplePages: Pages = {
  front: { html: "<!doctype html><title>Hawser</title>", policy: pagePolicy({ scripts: "'none'" }) },
  asset: (name) =>
    name === "app.js"
      ? Promise.resolve({ type: "text/javascript", body: Buffer.from(""), gzipped: gzipSync("") })
      : undefined,
};

export const LISTEN = { host: "127.0.0.1", port: 0 };

export function samplePath(name = "adsl1", change: Partial<PathStatus> = {}): PathStatus {
  return {
    name,
    state: "up",
    reason: "ready for data",
    role: "active",
    roleSince: "2026-01-02T03:04:05.000Z",
    roleReason: "configured",
    subflows: 1,
    rttMs: 23.4,
    minRttMs: 18,
    sendRateBps: 785_000,
    receiveRateBps: 8_400_000,
    unackedBytes: 4096,
    sentBytes: 100_000_000,
    receivedBytes: 900_000_000,
    reinjectedBytes: 12,
    lastError: null,
    since: "2026-01-02T03:04:05.000Z",
    ...change,
  };
}

export function sampleReport({ peer = "home", paths = [samplePath()] } = {}): LocalStatusReport {
  const flows = { open: 3, total: 340, failed: 2 };
  const bytes = { sent: 1_200_000_000, received: 8_400_000_000, reinjected: 3_100_000 };
  const session = { peer, state: "up", flows, bytes, paths } as const;
  return { role: "local", version: "0.1.0", uptimeSeconds: 11_530, session };
}

export const sampleFlow: FlowStatus = {
  id: "7",
  from: "192.168.1.9:50000",
  to: "example.org:443",
  kind: "redirect",
  ageSeconds: 3,
  sentBytes: 10,
  receivedBytes: 20,
  paths: [{ name: "adsl1", sentBytes: 10, receivedBytes: 20 }],
};

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  json(): unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** By node:http: fetch does not let a test choose Host and Origin. */
export function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: LISTEN.host, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text, json: (): unknown => JSON.parse(text) });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** A request with a body of JSON. */
export function withJson(method: string, body: string, headers: Record<string, string> = {}): Question {
  return { method, headers: { "content-type": "application/json", ...headers }, body };
}

/** The answer is a problem of RFC 9457. */
export function assertProblem(answer: Answer, status: number, detail?: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/);
  const problem = answer.json();
  assert.ok(typeof problem === "object" && problem !== null && "title" in problem);
  if (detail === undefined) return;
  assert.deepEqual(problem, { type: "about:blank", title: problem.title, status, detail });
}

export { statusUrl } from "./client/gateway-api.ts";
