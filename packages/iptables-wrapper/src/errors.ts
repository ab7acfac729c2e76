/** Coded errors, and how the tools' messages are turned into them. */

import type { Family } from "./types.ts";

/** Why rules could not be read or changed. A code keeps its name and meaning. */
export const IptablesErrorCode = {
  /** The rule set itself is wrong; `message` starts with the place. */
  rulesInvalid: "IPTABLES_RULES_INVALID",
  /** The iptables tools are not installed. */
  toolMissing: "IPTABLES_TOOL_MISSING",
  /** Not root and without the capabilities. */
  noPermission: "IPTABLES_NO_PERMISSION",
  /** Another program held the xtables lock for too long. */
  locked: "IPTABLES_LOCKED",
  /** The kernel lacks the table, a match, a target or the whole family. */
  kernelSupport: "IPTABLES_KERNEL_SUPPORT",
  /** A tool did not end in time and was killed. */
  timedOut: "IPTABLES_TIMED_OUT",
  /** Anything else; `stderr` has the tool's words. */
  failed: "IPTABLES_FAILED",
} as const;
export type IptablesErrorCode = (typeof IptablesErrorCode)[keyof typeof IptablesErrorCode];

/** Rules could not be read or changed; `message` says what to mend. */
export class IptablesError extends Error {
  override readonly name = "IptablesError";
  readonly code: IptablesErrorCode;
  readonly family: Family | undefined;
  /** What the tool printed, when it was a tool that failed. */
  readonly stderr: string;

  constructor(code: IptablesErrorCode, message: string, details: { family?: Family; stderr?: string } = {}) {
    super(message);
    this.code = code;
    this.family = details.family;
    this.stderr = details.stderr ?? "";
  }
}

/** Exit codes that a `Runner` gives when the command did not run to its end, as shells and timeout(1) do. */
export const RunnerExit = { timedOut: 124, notExecutable: 126, notFound: 127 } as const;

/**
 * The text decides before the exit code: 4 alone says "resource problem", which is at once missing
 * permission, a held lock and a missing kernel module.
 */
export function classifyFailure(code: number, stderr: string): IptablesErrorCode {
  if (code === RunnerExit.timedOut) return IptablesErrorCode.timedOut;
  if (code === RunnerExit.notFound || /exec of .* failed: No such file/.test(stderr)) {
    return IptablesErrorCode.toolMissing;
  }
  if (code === RunnerExit.notExecutable) return IptablesErrorCode.noPermission;
  if (/permission denied|you must be root|operation not permitted/i.test(stderr)) {
    return IptablesErrorCode.noPermission;
  }
  if (/xtables lock|temporarily unavailable/i.test(stderr)) return IptablesErrorCode.locked;
  if (KERNEL_SUPPORT.some((pattern) => pattern.test(stderr))) return IptablesErrorCode.kernelSupport;
  if (code === 4 && stderr.trim() === "") return IptablesErrorCode.noPermission;
  return IptablesErrorCode.failed;
}

const KERNEL_SUPPORT = [
  /(can't|unable to) initialize .*table/i,
  /table does not exist|do you need to insmod/i,
  /address family not supported|protocol not supported/i,
  /could not fetch rule set generation id/i,
  /(TABLE|CHAIN|RULE)_\w+ failed \((No such file|Operation not supported|Not supported)/i,
];

/** The error for a tool that failed, saying what to mend. */
export function toolError(
  family: Family,
  command: string,
  code: number,
  stderr: string,
  input = "",
): IptablesError {
  const kind = classifyFailure(code, stderr);
  const said = stderr.trim();
  const advice: Record<IptablesErrorCode, string> = {
    [IptablesErrorCode.toolMissing]: `${command} was not found: install iptables (it brings ip6tables and the -save and -restore tools)`,
    [IptablesErrorCode.noPermission]: `${command} was not permitted: run as root, or with the capabilities CAP_NET_ADMIN and CAP_NET_RAW`,
    [IptablesErrorCode.locked]: `${command} gave up waiting for the xtables lock: another program is changing rules; try again`,
    [IptablesErrorCode.kernelSupport]: `${command}: the kernel lacks what the ${family} rules need (a table, match or target; see the netfilter modules)`,
    [IptablesErrorCode.timedOut]: `${command} did not end in time and was killed`,
    [IptablesErrorCode.rulesInvalid]: `${command} refused the rules`,
    [IptablesErrorCode.failed]: `${command} failed with exit code ${code}`,
  };
  const line = failingLine(said, input);
  const parts = [advice[kind], said && `it said: ${said}`, line && `at: ${line}`];
  return new IptablesError(kind, parts.filter(Boolean).join("; "), { family, stderr });
}

/** The input line that the tool complained about, when it gave a number. */
function failingLine(stderr: string, input: string): string {
  const number = /line:? (\d+)/i.exec(stderr)?.[1];
  return number === undefined ? "" : (input.split("\n")[Number(number) - 1] ?? "");
}
