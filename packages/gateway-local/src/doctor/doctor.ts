import type { LocalConfig } from "../config.ts";
import { RemoteAddresses } from "../remote-addresses.ts";
import type { Finding } from "./findings.ts";
import { checkCapturedInterfaces, checkDns, checkIpv6Leak, checkRules, checkRunning } from "./host-checks.ts";
import { checkPath } from "./path-checks.ts";

/** Checks everything that the gateway needs from its machine and its lines, and tells each finding as it is made. */
export async function runDoctor(config: LocalConfig, tell: (finding: Finding) => void): Promise<void> {
  const say = (findings: readonly Finding[]): void => findings.forEach(tell);
  const remote = new RemoteAddresses();
  await remote.learn(config.remote.endpoints);
  say(await checkDns(config));
  for (const path of config.paths) say(await checkPath(path, config.remote, remote));
  say(checkCapturedInterfaces(config));
  const running = await checkRunning(config);
  say(await checkRules(config, [...remote.all], running.level !== "note"));
  say(checkIpv6Leak(config));
  say([running]);
}
