import type { LocalConfig } from "../config.ts";
import { RemoteAddresses } from "../remote-addresses.ts";
import { type Finding, renderFinding } from "./findings.ts";
import { checkDns, checkIpv6Leak, checkRules, checkRunning } from "./host-checks.ts";
import { checkPath } from "./path-checks.ts";

/** Checks everything that the gateway needs from its machine and its lines, and prints as it goes. True: all well. */
export async function runDoctor(config: LocalConfig, print: (line: string) => void): Promise<boolean> {
  let well = true;
  const say = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      print(renderFinding(finding));
      if (finding.level === "bad") well = false;
    }
  };
  const remote = new RemoteAddresses();
  await remote.learn(config.remote.endpoints);
  say(await checkDns(config));
  for (const path of config.paths) say(await checkPath(path, config.remote, remote));
  say(await checkRules(config, [...remote.all]));
  say(checkIpv6Leak(config));
  say([await checkRunning(config)]);
  return well;
}
