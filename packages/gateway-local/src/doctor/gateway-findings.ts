/** Judges the running gateway by what answers at its status address. */

import { formatEndpoint } from "@hawser/shared-protocol";
import { greedyText, type LocalStatusReport } from "@hawser/status-api/model";
import type { LocalConfig } from "../config.ts";
import type { GatewayFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";

const SUBJECT = "gateway";

export function gatewayFindings({ status, paths }: LocalConfig, gateway: GatewayFacts): Finding[] {
  const at = formatEndpoint(status.listen);
  switch (gateway.state) {
    case "absent":
      if (paths.every(({ role }) => role === "disabled"))
        return [
          bad(SUBJECT, "does not run, and every line is disabled", 'leave out role = "disabled" of one path'),
        ];
      return [note(SUBJECT, "does not run", "`systemctl start hawser-local`, or `hawser-local run`")];
    case "foreign": {
      const text = `another program answers at ${at}, its status address: ${gateway.what}`;
      const which = `\`ss -ltnp sport = :${status.listen.port}\` says which; end it, or give status.listen another port`;
      return [bad(SUBJECT, text, `${which} and run \`systemctl restart hawser-local\``)];
    }
    case "locked": {
      const text = `runs at ${at}, but does not accept this file's token`;
      return [bad(SUBJECT, text, "it was started with another one: `systemctl restart hawser-local`")];
    }
    case "runs":
      return [running(gateway), ...greedyFindings(gateway.report)];
  }
}

/** The device whose new flows were refused in the last minute to leave room for others. */
function greedyFindings({ flowRoom }: LocalStatusReport): Finding[] {
  if (!flowRoom?.greedy) return [];
  const { source } = flowRoom.greedy;
  const mend = `\`hawser-local flows --search ${source}\` lists its flows; what runs on that device?`;
  return [note("flows", greedyText(flowRoom, flowRoom.greedy), mend)];
}

function running({ report, isHealthy, reason }: Extract<GatewayFacts, { state: "runs" }>): Finding {
  const { paths } = report.session;
  const [first] = paths;
  if (first && paths.every(({ role }) => role === "disabled"))
    return bad(SUBJECT, "every line is disabled", `\`hawser-local path ${first.name} active\``);
  if (isHealthy) return ok(SUBJECT, `runs: ${reason}`);
  return bad(SUBJECT, `runs, but ${reason}`, "see the findings above; `hawser-local events` says since when");
}
