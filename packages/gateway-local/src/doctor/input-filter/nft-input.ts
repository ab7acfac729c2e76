/** Reads the input chains of nft's rule set (libnftables-json(5)), as they concern one packet. */

import {
  all,
  any,
  type FilterChains,
  type FilterRule,
  isSo,
  type Match,
  not,
  type Verdict,
} from "./packet-fate.ts";
import { isFrom, isInterface, isPort, isTo, type RedirectedPacket } from "./redirected-packet.ts";

export interface NftInput {
  /** `inet filter input`, as nft's commands take it. */
  readonly name: string;
  readonly chains: FilterChains;
}

type Json = Readonly<Record<string, unknown>>;

interface NftObject extends Json {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

/** Tables of iptables-nft. They are read by iptables-save (iptables-input.ts). */
const IPTABLES_TABLES = new Set(["filter", "nat", "mangle", "raw", "security"]);

/** The base chains that the packet passes, but for those of tables that iptables-save shows (`isIptables`). */
export function nftInputs(
  listing: string,
  packet: RedirectedPacket,
  isIptables: (table: string) => boolean = () => false,
): NftInput[] {
  const objects = (JSON.parse(listing) as { nftables: Json[] }).nftables;
  const of = (kind: string): NftObject[] => objects.flatMap((each) => (each[kind] as NftObject) ?? []);
  const bases = of("chain").filter(
    ({ hook, type, family, table }) =>
      hook === "input" &&
      type === "filter" &&
      (family === "inet" || family === (packet.family === "ipv6" ? "ip6" : "ip")) &&
      !(family !== "inet" && IPTABLES_TABLES.has(table) && isIptables(table)),
  );
  return bases.map(({ family, table, name, policy }) => {
    const isHere = (each: NftObject): boolean => each.family === family && each.table === table;
    const sets = new Map([...of("set"), ...of("map")].filter(isHere).map((set) => [set.name, set["elem"]]));
    const rules = new Map<string, FilterRule[]>(
      of("chain")
        .filter(isHere)
        .map((chain) => [chain.name, []]),
    );
    for (const rule of of("rule").filter(isHere))
      rules.get(rule["chain"] as string)?.push(new RuleReader(packet, sets).read(rule));
    const chains: FilterChains = { rules, base: name, policy: policy === "drop" ? "drop" : "accept" };
    return { name: `${family} ${table} ${name}`, chains };
  });
}

/** Statements and expressions are objects with one key, which says what they are. */
function only(object: Json): [kind: string, body: Json | undefined] {
  const [entry] = Object.entries(object);
  return entry ? [entry[0], (entry[1] ?? undefined) as Json | undefined] : ["", undefined];
}

/** Statements after which the next one is looked at. */
const GO_ON = new Set(["counter", "log", "mangle", "notrack", "ct helper", "set", "map"]);

class RuleReader {
  readonly #packet: RedirectedPacket;
  readonly #sets: ReadonlyMap<string, unknown>;

  constructor(packet: RedirectedPacket, sets: ReadonlyMap<string, unknown>) {
    this.#packet = packet;
    this.#sets = sets;
  }

  read({ expr, chain, handle }: Json): FilterRule {
    const matches: Match[] = [];
    let verdict: Verdict | undefined;
    for (const statement of expr as Json[]) {
      const [kind, body] = only(statement);
      if (kind === "match") matches.push(this.#match(body as Json));
      else if (kind === "vmap") {
        const chosen = this.#vmap(body as Json);
        matches.push(chosen.matches);
        verdict = chosen.verdict;
      } else {
        verdict ??= verdictOf(kind, body);
        if (!verdict && !GO_ON.has(kind)) matches.push("maybe");
      }
    }
    return { matches: all(matches), verdict, text: `rule ${String(handle)} of ${String(chain)}` };
  }

  #match({ op, left, right }: Json): Match {
    const found = this.#compare(left as Json, right);
    if (op === "==" || op === "in") return found;
    return op === "!=" ? not(found) : "maybe";
  }

  #vmap({ key, data }: Json): Pick<FilterRule, "matches" | "verdict"> {
    const entries = this.#elements(data) as [unknown, Json][] | undefined;
    if (!entries) return { matches: "maybe", verdict: { does: "unknown" } };
    for (const [value, then] of entries) {
      const matches = this.#compare(key as Json, value);
      if (matches === "no") continue;
      const [kind, body] = only(then);
      return { matches, verdict: matches === "yes" ? verdictOf(kind, body) : { does: "unknown" } };
    }
    return { matches: "no", verdict: undefined };
  }

  /** Whether the packet's field that `left` names has the value `right`. */
  #compare(left: Json, right: unknown): Match {
    const test = this.#testOf(left);
    return test ? this.#one(test, right) : "maybe";
  }

  #one(test: (value: string) => Match, right: unknown): Match {
    const elements = this.#elements(right);
    if (elements) return any(elements.map((each) => this.#one(test, each)));
    if (typeof right === "string" || typeof right === "number") return test(String(right));
    const { range, prefix, elem } = (right ?? {}) as { range?: unknown[]; prefix?: Json; elem?: Json };
    if (elem) return this.#one(test, elem["val"]);
    if (prefix) return test(`${String(prefix["addr"])}/${String(prefix["len"])}`);
    return range ? test(range.join("-")) : "maybe";
  }

  /** The elements of a set, which is written out or named. */
  #elements(written: unknown): unknown[] | undefined {
    if (Array.isArray(written)) return written;
    if (typeof written === "string" && written.startsWith("@")) {
      const elements = this.#sets.get(written.slice(1));
      return Array.isArray(elements) ? elements : [];
    }
    const set = (written as Json | null)?.["set"];
    return Array.isArray(set) ? set : undefined;
  }

  #testOf(left: Json): ((value: string) => Match) | undefined {
    const packet = this.#packet;
    const [kind, body] = only(left);
    const what = [kind, body?.["protocol"], body?.["key"] ?? body?.["field"]].filter(Boolean).join(" ");
    const is = (...values: string[]) => {
      return (value: string): Match => isSo(values.includes(value));
    };
    const isV6 = packet.family === "ipv6";
    switch (what) {
      case "meta iifname":
      case "meta iif":
        return (value) => isInterface(packet, value);
      case "meta l4proto":
      case "payload ip protocol":
      case "payload ip6 nexthdr":
        return is("tcp", "6");
      case "meta nfproto":
        return is(packet.family);
      case "meta protocol":
        return is(isV6 ? "ip6" : "ip");
      case "payload tcp dport":
      case "payload th dport":
        return (value) => isPort(packet, value);
      case "payload tcp flags":
        return is("syn");
      case "ct state":
        return is("new");
      case "ct status":
        // REDIRECT is a kind of DNAT. Whether another state applies is not known for every packet.
        return (value) => (value === "dnat" ? "yes" : "maybe");
      case "payload ip saddr":
      case "payload ip6 saddr":
        return (value) => isFrom(packet, value);
      case "payload ip daddr":
      case "payload ip6 daddr":
        return (value) => isTo(packet, value);
      case "fib":
        return fibTest(body as Json);
      default:
        return /^payload (udp|icmp|icmpv6|sctp|dccp) /.test(what) ? () => "no" : undefined;
    }
  }
}

/** `fib daddr type local`: REDIRECT has made the destination an address of this machine. */
function fibTest({ result, flags }: Json): ((value: string) => Match) | undefined {
  const isType = result === "type" && Array.isArray(flags) && flags.includes("daddr");
  return isType ? (value) => isSo(value === "local") : undefined;
}

function verdictOf(kind: string, body: Json | undefined): Verdict | undefined {
  if (kind === "accept" || kind === "drop" || kind === "return") return { does: kind };
  if (kind === "reject") return { does: "drop" };
  if (kind === "jump" || kind === "goto") return { does: kind, chain: String(body?.["target"]) };
  const isUnknown = kind === "queue" || kind === "tproxy" || (kind === "xt" && body?.["type"] !== "match");
  return isUnknown ? { does: "unknown" } : undefined;
}
