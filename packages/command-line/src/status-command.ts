/** `status`: asks the running gateway, and shows what it says. */

import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "@hawser/gateway-kit/config";
import { flowListSchema, type GatewayApi, statusReportSchema, unreachable } from "@hawser/status-api/client";
import type { StatusReport } from "@hawser/status-api/model";
import { LiveView } from "./live-view.ts";
import { writeJson } from "./output.ts";
import { renderStatus } from "./render-status.ts";
import { Screen, type ScreenInput, type ScreenOutput, widthOf } from "./screen.ts";
import { themeOf } from "./text-style.ts";

/** How often `--watch` asks, ms. */
const PERIOD_MS = 1000;
/** The flows that the live view gets: the 500 that have received most. */
const FLOWS = "/api/flows?sort=receivedBytes&order=desc&limit=500";

export interface StatusCommandOptions {
  /** Prints the API's answer instead of a table; with `watch` one line for each answer. */
  readonly json?: boolean | undefined;
  /** Asks again each second until `signal`, Ctrl-C or, on a terminal, the key q. */
  readonly watch?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly stdout?: ScreenOutput | undefined;
  readonly stdin?: ScreenInput | undefined;
}

/** @throws CodedError STATUS_UNREACHABLE. With `watch` the error is shown instead, and the gateway asked again. */
export async function statusCommand(api: GatewayApi, options: StatusCommandOptions = {}): Promise<void> {
  const stdout = options.stdout ?? process.stdout;
  if (options.watch && stdout.isTTY && !options.json) return watchOnScreen(api, stdout, options);
  if (options.watch) return watchPlainly(api, stdout, options);
  const answer = await api.ask("/api/status");
  if (options.json) writeJson(answer, stdout);
  else stdout.write(tableOf(api, answer, stdout));
}

async function watchOnScreen(
  api: GatewayApi,
  stdout: ScreenOutput,
  { signal, stdin = process.stdin }: StatusCommandOptions,
): Promise<void> {
  const view = new LiveView();
  const theme = themeOf(process.env, true);
  const end = new AbortController();
  const draw = (): void => screen.draw(view.lines(screen.columns, screen.rows, theme));
  const screen = new Screen(stdout, stdin, {
    onKey: (key) => key.toLowerCase() === "q" && end.abort(),
    onResize: draw,
    onStop: () => end.abort(),
  });
  screen.enter();
  try {
    await everySecond(AbortSignal.any([end.signal, ...(signal ? [signal] : [])]), async () => {
      const trouble = await orTrouble(() => look(api, view));
      if (trouble !== undefined) view.noteTrouble(trouble);
      draw();
    });
  } finally {
    screen.leave();
  }
}

async function look(api: GatewayApi, view: LiveView): Promise<void> {
  const [answer, list] = await Promise.all([api.ask("/api/status"), api.ask(FLOWS)]);
  view.note(checked(api, answer), flowListSchema.safeParse(list).data ?? [], performance.now());
}

async function watchPlainly(
  api: GatewayApi,
  stdout: ScreenOutput,
  { json, signal }: StatusCommandOptions,
): Promise<void> {
  const end = new AbortController();
  const onInterrupt = (): void => end.abort();
  process.once("SIGINT", onInterrupt);
  try {
    await everySecond(AbortSignal.any([end.signal, ...(signal ? [signal] : [])]), async () => {
      const trouble = await orTrouble(async () => {
        const answer = await api.ask("/api/status");
        stdout.write(json ? `${JSON.stringify(answer)}\n` : tableOf(api, answer, stdout));
      });
      if (trouble !== undefined)
        stdout.write(json ? `${JSON.stringify({ error: trouble })}\n` : `${trouble}\n`);
    });
  } finally {
    process.removeListener("SIGINT", onInterrupt);
  }
}

async function everySecond(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act();
    await sleep(PERIOD_MS, undefined, { signal }).catch(() => {});
  }
}

/** Why `act` failed, if it did. The caller goes on: a gateway that does not answer may be restarting. */
async function orTrouble(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

function tableOf(api: GatewayApi, answer: unknown, stdout: ScreenOutput): string {
  return renderStatus(checked(api, answer), new Date(), widthOf(stdout));
}

function checked(api: GatewayApi, answer: unknown): StatusReport {
  const report = statusReportSchema.safeParse(answer);
  if (report.success) return report.data;
  throw unreachable(api.url, "what answers is not a hawser gateway of this version");
}
