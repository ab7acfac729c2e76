import { writeJson } from "@hawser/command-line";
import { ExitCode } from "@hawser/gateway-kit/config";
import { loadLocalConfig } from "../config.ts";
import { runDoctor } from "../doctor/doctor.ts";
import { type Finding, renderFinding, renderSummary } from "../doctor/findings.ts";

/**
 * `hawser-local doctor`: prints each finding as soon as it is made. The exit code is 1 when one of them is bad. @throws
 * ConfigError
 */
export async function doctor(file: string, json?: boolean): Promise<void> {
  const findings: Finding[] = [];
  await runDoctor(loadLocalConfig(file), (finding) => {
    findings.push(finding);
    if (!json) process.stdout.write(`${renderFinding(finding)}\n`);
  });
  if (json) writeJson(findings);
  else process.stdout.write(`${renderSummary(findings)}\n`);
  if (findings.some(({ level }) => level === "bad")) process.exitCode = ExitCode.failed;
}
