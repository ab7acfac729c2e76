/**
 * Judges the way of the LAN's connections into the gateway. Redirected ones pass the chain INPUT, where a firewall may
 * drop them.
 */

import type { Family } from "iptables-wrapper";
import type { FilterFacts, GatewayFacts, LanDeviceFacts } from "./facts.ts";
import { bad, type Finding, note, ok } from "./findings.ts";
import { iptablesInput } from "./input-filter/iptables-input.ts";
import { nftInputs } from "./input-filter/nft-input.ts";
import { packetFate } from "./input-filter/packet-fate.ts";
import type { RedirectedPacket } from "./input-filter/redirected-packet.ts";
import { familyName } from "./lan-findings.ts";

/** What drops redirected connections, and the command that lets them in. */
interface Obstacle {
  readonly what: string;
  readonly mend: string;
}

/** `ports`: the port to which the rules redirect each captured family. */
export function lanPathFindings(
  ports: Readonly<Partial<Record<Family, number>>>,
  devices: readonly LanDeviceFacts[],
  filter: FilterFacts,
  gateway: GatewayFacts,
): Finding[] {
  const willAccept = gateway.state !== "runs";
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const port = ports[family];
    const packets = devices
      .filter(({ exists }) => exists)
      .map(({ name, prefixes }) => {
        const own = prefixes.filter((prefix) => isOfFamily(prefix, family));
        return { family, inInterface: name, port: port ?? 0, prefixes: own };
      });
    // A family without addresses on the LAN has no connections.
    const coming = packets.filter(({ prefixes }) => prefixes.length > 0);
    if (port === undefined || (coming.length === 0 && packets.length > 0)) return [];
    const obstacles = coming.flatMap((packet) => obstaclesOf(packet, filter, willAccept));
    return familyFindings(family, obstacles, gateway);
  });
}

/** Link-local addresses do not count: no captured connection comes from one. */
function isOfFamily(prefix: string, family: Family): boolean {
  return prefix.includes(":") === (family === "ipv6") && !/^fe[89ab]/i.test(prefix);
}

/**
 * `willAccept`: the gateway will start, and its iptables rules then accept what they redirect. So iptables is not
 * judged.
 */
function obstaclesOf(packet: RedirectedPacket, filter: FilterFacts, willAccept: boolean): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const { family, inInterface, port } = packet;
  const save = filter.iptables[family];
  const input = save === undefined || willAccept ? undefined : iptablesInput(save, packet);
  const fate = input && packetFate(input);
  if (fate?.fate === "drops") {
    const tool = family === "ipv6" ? "ip6tables" : "iptables";
    const mend = `\`${tool} -I INPUT -i ${inInterface} -p tcp --dport ${port} -m conntrack --ctstate DNAT -j ACCEPT\``;
    obstacles.push({ what: `${tool}'s chain INPUT drops them by ${fate.by}`, mend });
  }
  const isIptables = (table: string): boolean =>
    save !== undefined && save.includes("(nf_tables)") && save.includes(`*${table}\n`);
  for (const { name, chains } of filter.nft === undefined ? [] : nftInputs(filter.nft, packet, isIptables)) {
    const end = packetFate(chains);
    if (end.fate !== "drops") continue;
    const rule = `insert rule ${name} iifname "${inInterface}" tcp dport ${port} ct status dnat accept`;
    const mend = `\`nft '${rule}'\`, and the same in /etc/nftables.conf`;
    obstacles.push({ what: `nft's chain ${name} drops them by ${end.by}`, mend });
  }
  return obstacles;
}

function familyFindings(family: Family, obstacles: readonly Obstacle[], gateway: GatewayFacts): Finding[] {
  const subject = `connections of the LAN by ${familyName(family)}`;
  if (obstacles.length > 0)
    return obstacles.map(({ what, mend }) =>
      bad(subject, `redirected connections do not arrive: ${what}`, mend),
    );
  if (gateway.state !== "runs") return [];
  const seen = gateway.report.capture?.find((each) => each.family === family);
  if (!seen) return [];
  if (seen.state === "blocked") {
    const text = `the rules redirected ${seen.redirected ?? "some"} connections, of which the last do not arrive`;
    const tools = `${family === "ipv6" ? "ip6tables" : "iptables"} -v -S INPUT\` and \`nft list ruleset`;
    return [bad(subject, text, `a firewall drops them: \`${tools}\` show its rules and their counters`)];
  }
  if (seen.accepted > 0) return [ok(subject, `they arrive: ${seen.accepted} so far`)];
  const text = "none has come yet, so it is not proven that they arrive";
  return [note(subject, text, "open a page on a device of the LAN, then run `hawser-local doctor` again")];
}
