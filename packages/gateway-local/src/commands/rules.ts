/** `hawser-local rules`: the redirect rules as text, put into the firewall, and taken out of it. */

import { writeJson } from "@hawser/command-line";
import { GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import {
  applyRules,
  clearRules,
  FAMILIES,
  type FamilyOutcome,
  type RuleSet,
  renderRestore,
  systemRunner,
} from "iptables-wrapper";
import { areSetsThere, clearSets } from "../capture/failure-sets.ts";
import { ownPrefixesNow } from "../capture/route-follower.ts";
import { EVERY_WAY_OUT, RULES_OWNER, redirectRules } from "../capture/rules.ts";
import { findLocalStatus, loadLocalConfig } from "../config.ts";
import { gatherGateway } from "../doctor/gather-gateway.ts";
import { RemoteAddresses } from "../remote-addresses.ts";

/** Prints the rules of a configuration as iptables-restore(8) takes them. @throws ConfigError */
export async function showRules(file: string, json?: boolean): Promise<void> {
  const wanted = await rulesOf(file);
  const texts = FAMILIES.map((family) => ({ family, text: renderRestore(wanted, family) })).filter(
    ({ text }) => text !== "",
  );
  if (json) return writeJson(texts);
  for (const { family, text } of texts) {
    const tool = family === "ipv4" ? "iptables" : "ip6tables";
    process.stdout.write(`# ${tool}-restore --noflush\n${text}`);
  }
}

/** Installs the rules of a configuration in place of those that are there. @throws ConfigError, IptablesError */
export async function applyRedirectRules(file: string): Promise<void> {
  writeOutcomes(await applyRules(systemRunner(), await rulesOf(file)));
}

/**
 * Removes the rules. The configuration only says where a running gateway answers, so it may be broken.
 * @throws IptablesError
 */
export async function clearRedirectRules(file: string): Promise<void> {
  writeOutcomes(await clearRules(systemRunner(), RULES_OWNER));
  await clearSets();
  if (await keepsRules(file)) {
    process.stderr.write(
      "the running gateway puts them back within seconds; to keep them away: systemctl stop hawser-local\n",
    );
  }
}

function writeOutcomes(outcomes: readonly FamilyOutcome[]): void {
  for (const { family, result } of outcomes) process.stdout.write(`${family}: ${result}\n`);
}

/**
 * Whether a gateway runs that restores its rules. It is looked for at the address in the file, or at the default one.
 */
async function keepsRules(file: string): Promise<boolean> {
  try {
    const status = findLocalStatus(file, () => {});
    const report = statusReportSchema.parse(await new GatewayApi(status).ask("/api/status"));
    return report.role === "local" && report.rules !== undefined;
  } catch {
    return false;
  }
}

async function rulesOf(file: string): Promise<RuleSet> {
  const { capture, paths, remote, status } = loadLocalConfig(file);
  if (!capture) return { owner: RULES_OWNER };
  const addresses = new RemoteAddresses();
  await addresses.learn(remote.endpoints);
  const hasSets = await areSetsThere();
  // A running gateway knows which address families the remote gateway reaches; the rules go by that.
  const gateway = await gatherGateway(status);
  const wayOut = (gateway.state === "runs" && gateway.report.session.egress) || EVERY_WAY_OUT;
  const left = [...addresses.all, ...(await ownPrefixesNow(paths))];
  return redirectRules({ capture, left, wayOut, hasSets });
}
