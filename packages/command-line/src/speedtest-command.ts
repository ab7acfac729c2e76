import { ExitCode } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import {
  formatRate,
  printable,
  type SpeedProgress,
  type SpeedResult,
  type SpeedtestOptions,
} from "@hawser/status-api/model";
import { writeJson } from "./output.ts";
import { renderSpeeds } from "./render-list.ts";
import { progressBar, themeOf } from "./text-style.ts";
import { runTrial } from "./trial.ts";

/** Columns. With the words before it the bar fits a terminal of 60 columns. */
const BAR_WIDTH = 22;

/** `speedtest`: the exit code is 1 when a line could not be measured. @throws as `runTrial` */
export async function speedtestCommand(
  api: GatewayApi,
  wanted: SpeedtestOptions,
  json?: boolean,
): Promise<void> {
  const results = await runTrial<SpeedProgress, readonly SpeedResult[]>(api, {
    path: "/api/speedtest",
    body: wanted,
    renderProgress,
    whenInterrupted: "the speed test was ended early",
  });
  if (json) writeJson(results);
  else process.stdout.write(renderSpeeds(results));
  if (results.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed;
}

function renderProgress({ name, phase, share, bps }: SpeedProgress): string {
  const line = name === null ? "together" : printable(name);
  const bar = progressBar(share, BAR_WIDTH, themeOf(process.env, true));
  return `${line.padEnd(16)} ${phase.padEnd(7)} ${formatRate(bps).padStart(10)} ${bar}`;
}
