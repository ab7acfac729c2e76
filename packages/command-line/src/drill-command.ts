import { ExitCode } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import { type DrillProgress, type DrillReport, formatRate, printable } from "@hawser/status-api/model";
import { writeJson } from "./output.ts";
import { renderDrill } from "./render-list.ts";
import { runTrial } from "./trial.ts";

export interface DrillOptions {
  /** The line's name. */
  readonly name: string;
  readonly seconds: number;
}

/** `drill NAME`: the exit code is 1 when a flow was lost, or the line did not come back. @throws as `runTrial` */
export async function drillCommand(
  api: GatewayApi,
  { name, seconds }: DrillOptions,
  json?: boolean,
): Promise<void> {
  const report = await runTrial<DrillProgress, DrillReport>(api, {
    path: `/api/paths/${encodeURIComponent(name)}/drill`,
    body: { seconds },
    renderProgress: (progress) => renderProgress(name, seconds, progress),
    whenInterrupted: `the drill was ended early: ${name} is back in use, and there is no report`,
  });
  if (json) writeJson(report);
  else process.stdout.write(renderDrill(report));
  if (report.flows.failed > 0 || report.upAfterMs === null) process.exitCode = ExitCode.failed;
}

function renderProgress(
  name: string,
  seconds: number,
  { phase, elapsedSeconds, downBps, upBps }: DrillProgress,
): string {
  const shown = printable(name);
  const stage = {
    before: `${shown} goes out in a second`,
    out: `${shown} out for ${Math.floor(elapsedSeconds)} of ${seconds} s`,
    return: `${shown} is coming back`,
  };
  return `${stage[phase]}; flows ${formatRate(downBps)} down, ${formatRate(upBps)} up; Ctrl-C brings it back`;
}
