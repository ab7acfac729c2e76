import type { LocalConfig } from "../config.ts";
import { resolveRemote } from "../remote-addresses.ts";
import type { Finding } from "./findings.ts";
import { checkDns, checkIpv6Leak, checkRules, checkRunning } from "./host-checks.ts";
import { checkPath } from "./path-checks.ts";

/** Checks everything that the gateway needs from its machine and its lines, and tells each finding as it is made. */
export async function runDoctor(config: LocalConfig, tell: (finding: Finding) => void): Promise<void> {
  const say = (findings: readonly Finding[]): void => findings.forEach(tell);
  say(await checkDns(config));
  for (const path of config.paths) say(await checkPath(path, config.remote));
  const running = await checkRunning(config);
  say(await checkRules(config, await resolveRemote(config.remote.endpoints), running.level !== "note"));
  say(checkIpv6Leak(config));
  say([running]);
}
