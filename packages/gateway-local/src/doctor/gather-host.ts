/** Asks the machine about its LAN side: interfaces, forwarding, connection tracking, firewall. */

import { existsSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import {
  FAMILIES,
  IptablesError,
  inspectRules,
  parseSave,
  type RuleSet,
  type Runner,
} from "iptables-wrapper";
import { RULES_OWNER } from "../capture/rules.ts";
import type { ConntrackFacts, FilterFacts, LanDeviceFacts, RuleFacts } from "./facts.ts";
import { read } from "./gather-lines.ts";

/** The doctor looks for itself, since iptables accepts the name of an interface that does not exist. */
export function gatherLanDevice(name: string): LanDeviceFacts {
  const prefixes = (networkInterfaces()[name] ?? []).flatMap(({ cidr }) => cidr ?? []);
  const forwards = {
    ipv4: read(`/proc/sys/net/ipv4/conf/${name}/forwarding`) !== "0",
    // For IPv6 only the setting of all interfaces together counts.
    ipv6: read("/proc/sys/net/ipv6/conf/all/forwarding") !== "0",
  };
  return { name, exists: existsSync(`/sys/class/net/${name}`), master: masterOf(name), prefixes, forwards };
}

function masterOf(name: string): string | undefined {
  try {
    const master = basename(readlinkSync(`/sys/class/net/${name}/master`));
    const isWhole = ["bridge", "bonding"].some((kind) => existsSync(`/sys/class/net/${master}/${kind}`));
    return isWhole ? master : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined while connection tracking is not loaded: the first rule that needs it loads it. */
export function gatherConntrack(): ConntrackFacts | undefined {
  const [max, count] = ["max", "count"].map((what) =>
    Number(read(`/proc/sys/net/netfilter/nf_conntrack_${what}`)),
  );
  if (!max || count === undefined) return undefined;
  return { max, count };
}

/**
 * The destinations that the installed rules leave alone. A running gateway has added some that the configuration does
 * not name.
 */
export function leftAloneNow({ iptables }: FilterFacts): string[] {
  return Object.values(iptables).flatMap((save) => {
    const nat = parseSave(save).find(({ name }) => name === "nat");
    const own = nat?.rules.filter(({ chain }) => chain === RULES_OWNER) ?? [];
    return own.flatMap(({ spec }) => /^-d (\S+) -j RETURN$/.exec(spec)?.[1] ?? []);
  });
}

/** Each family that has rules is asked by itself: one may be readable when the other is not. */
export async function gatherRules(runner: Runner, wanted: RuleSet): Promise<RuleFacts[]> {
  const facts: RuleFacts[] = [];
  for (const family of FAMILIES) {
    const tables = wanted[family] ?? [];
    if (tables.length === 0) continue;
    try {
      const states = await inspectRules(runner, { owner: wanted.owner, [family]: tables });
      const found = states.find((each) => each.family === family);
      if (found) facts.push(found);
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      facts.push({ family, state: "unknown", differences: [], code: error.code, message: error.message });
    }
  }
  return facts;
}

export async function gatherFilter(runner: Runner): Promise<FilterFacts> {
  const print = async (command: string, ...args: string[]): Promise<string | undefined> => {
    const { code, stdout } = await runner.run(command, args);
    return code === 0 ? stdout : undefined;
  };
  const [ipv4, ipv6, nft] = await Promise.all([
    print("iptables-save"),
    print("ip6tables-save"),
    print("nft", "-j", "list", "ruleset"),
  ]);
  return { iptables: { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) }, nft };
}
