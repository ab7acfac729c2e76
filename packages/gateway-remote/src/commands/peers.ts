import { writeJson } from "@hawser/command-line";
import { formatFinding } from "@hawser/gateway-kit/config";
import { GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import type { RemoteStatusReport } from "@hawser/status-api/model";
import { findRemoteStatus, loadPeers } from "../config.ts";
import { renderPeers, withPresence } from "../peer-list.ts";

/**
 * `hawser-remote peers`: lists the admitted peers, and says which of them are connected. Faults of peers' files go to
 * stderr.
 * @throws as `loadPeers`
 */
export async function peers(file: string, json?: boolean): Promise<void> {
  const admitted = loadPeers(file);
  for (const { findings } of admitted.problems)
    for (const finding of findings) process.stderr.write(`${formatFinding(finding)}\n`);
  const names = admitted.peers.map(({ name }) => name);
  const report = await askReport(file);
  if (!report) process.stderr.write("no gateway runs: nobody is connected\n");
  const found = withPresence(names, report);
  if (json) writeJson(found);
  else process.stdout.write(renderPeers(found));
}

/** The running gateway's report; undefined when no gateway answers. */
async function askReport(file: string): Promise<RemoteStatusReport | undefined> {
  try {
    const api = new GatewayApi(findRemoteStatus(file));
    const report = statusReportSchema.parse(await api.ask("/api/status"));
    return report.role === "remote" ? report : undefined;
  } catch {
    return undefined;
  }
}
