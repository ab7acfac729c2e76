/** Judges the redirect rules: they should be in place exactly while the gateway runs. */

import { IptablesErrorCode } from "iptables-wrapper";
import type { GatewayFacts, RuleFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";
import { familyName } from "./lan-findings.ts";

const APPLY = "`hawser-local rules apply`";

/** `isOwn`: the gateway installs the rules itself (`capture.rules`). */
export function rulesFindings(
  rules: readonly RuleFacts[],
  gateway: GatewayFacts["state"],
  isOwn: boolean,
): Finding[] {
  const isRunning = gateway === "runs" || gateway === "locked";
  return rules.map((facts) => {
    const subject = `redirect rules for ${familyName(facts.family)}`;
    if (facts.state === "unknown" || facts.state === "absent") return unknown(subject, facts);
    return isRunning ? whileRunning(subject, facts) : whileStopped(subject, facts.state, isOwn);
  });
}

function whileRunning(subject: string, { state, differences: [amiss] }: RuleFacts): Finding {
  if (state === "in-place") return ok(subject, "they are in place");
  const text =
    state === "missing"
      ? "they are not in place: the LAN goes past Hawser, over one line"
      : `they are not what the configuration says${amiss === undefined ? "" : `: ${amiss}`}`;
  return bad(subject, text, APPLY);
}

/** Rules that redirect to a port without a listener cut the LAN off. */
function whileStopped(subject: string, state: RuleFacts["state"], isOwn: boolean): Finding {
  if (state === "missing") {
    const mend = isOwn ? "`systemctl start hawser-local`" : `\`systemctl start hawser-local\`, then ${APPLY}`;
    return note(
      subject,
      "they are not in place, as the gateway does not run: the LAN goes past Hawser",
      mend,
    );
  }
  const text = "the rules are in place, and no gateway listens: the LAN's TCP is refused";
  return bad(subject, text, "`systemctl start hawser-local`, or `hawser-local rules clear`");
}

function unknown(subject: string, { code, message }: RuleFacts): Finding {
  if (code === IptablesErrorCode.noPermission)
    return bad(subject, "only root may read them", "`sudo hawser-local doctor`");
  if (code === IptablesErrorCode.toolMissing)
    return bad(subject, "iptables is not installed: nothing can be captured", "`apt install iptables`");
  return bad(
    subject,
    message ?? "they cannot be read",
    "`hawser-local rules show` prints what they should be",
  );
}
