/**
 * What a house consists of, as text: pure functions from the wish to `ip` commands in each namespace. A leading -4 or
 * -6 is the family.
 *
 *   lan                router                          remote                    origin
 *   eth0 ---veth--- lan0  adsl1 ---emulated line--- adsl1  wan0 ---veth--- eth0
 *   192.168.77.2  .77.1   100.64.1.2       100.64.1.1      198.51.100.1   .10, .11 (over line 1 alone), ...
 *                         adsl2 ---emulated line--- adsl2  lo 203.0.113.1 (the remote gateway's address)
 *                         100.64.2.2       100.64.2.1
 *
 * A line may end at a provider, which stands between it and the remote and translates addresses. Lines may share one:
 *
 *   router              provider                       remote
 *   adsl1 ---line--- adsl1   uplink ---veth--- NAME
 *   100.64.1.2       .1.1    192.0.2.18        192.0.2.17
 */
import {
  type AddressPair,
  direct,
  LAN,
  lineEnds,
  ORIGIN,
  ORIGIN_PREFIX,
  REMOTE_PUBLIC,
  REMOTE_WAN,
  transit,
} from "./addresses.ts";

/** The facts of a house that its addresses and routes depend on. */
export interface Plan {
  /** Device names of the lines, in order. */
  readonly lines: readonly string[];
  /** Congestion control of every route, or the machine's default. */
  readonly congestion: string | undefined;
  /** Whether packets from a line's own address leave by that line without the socket being bound to the device. */
  readonly sourceRules: boolean;
  /** The provider that a line ends at, by the line's number. */
  readonly providers: ReadonlyMap<number, string>;
}

/** The kernel settings of every namespace. */
export const SYSCTLS: readonly string[] = [
  "net/ipv4/ip_forward=1",
  "net/ipv4/conf/all/rp_filter=0",
  "net/ipv4/conf/default/rp_filter=0",
  "net/ipv4/conf/all/send_redirects=0",
  "net/ipv4/conf/default/send_redirects=0",
  // TCP must not carry over from one connection to the next measurement what it has learned about a path.
  "net/ipv4/tcp_no_metrics_save=1",
  "net/ipv6/conf/all/forwarding=1",
  "net/ipv6/conf/default/forwarding=1",
  // Addresses are usable at once, and only packets that the house has sent travel on its lines.
  "net/ipv6/conf/all/accept_dad=0",
  "net/ipv6/conf/default/accept_dad=0",
  "net/ipv6/conf/all/accept_ra=0",
  "net/ipv6/conf/default/accept_ra=0",
  "net/ipv6/conf/default/router_solicitations=0",
];

/** First number of the routing tables that hold one line's default route. */
const TABLE_BASE = 100;
const RULE_BASE = 1000;

export function lanCommands(plan: Plan): string[] {
  return [
    "link set lo up",
    "link set eth0 up",
    ...address("eth0", LAN.client, 24, 64),
    ...connected(plan, "eth0", LAN.prefix, LAN.client),
    ...route(
      plan,
      { v4: "default", v6: "default" },
      `via ${LAN.router.v4} dev eth0`,
      `via ${LAN.router.v6} dev eth0`,
    ),
  ];
}

export function routerCommands(plan: Plan): string[] {
  return [
    "link set lo up",
    "link set lan0 up",
    ...address("lan0", LAN.router, 24, 64),
    ...connected(plan, "lan0", LAN.prefix, LAN.router),
    ...plan.lines.flatMap((name, index) => [
      ...routerLineCommands(plan, name, index + 1),
      ...(plan.sourceRules ? fromRules(lineEnds(index + 1).router, index + 1) : []),
    ]),
  ];
}

/**
 * The router's end of one line. The kernel removes all of it when the device goes down; the commands may be repeated
 * when it is up.
 */
export function routerLineCommands(plan: Plan, name: string, line: number): string[] {
  const { router, remote, prefix } = lineEnds(line);
  const v4 = `via ${remote.v4} dev ${name}`;
  const v6 = `via ${remote.v6} dev ${name}`;
  const everywhere = { v4: "default", v6: "default" };
  return [
    `link set ${name} up`,
    ...address(name, router, 24, 64),
    ...connected(plan, name, prefix, router),
    ...route(plan, everywhere, `${v4} metric ${line * 100}`, `${v6} metric ${line * 100}`),
    ...route(plan, everywhere, `${v4} table ${TABLE_BASE + line}`, `${v6} table ${TABLE_BASE + line}`),
    ...route(plan, direct(line), v4, v6),
  ];
}

export function remoteCommands(plan: Plan): string[] {
  return [
    "link set lo up",
    ...address("lo", REMOTE_PUBLIC, 32, 128),
    "link set wan0 up",
    ...address("wan0", REMOTE_WAN, 24, 64),
    ...connected(plan, "wan0", ORIGIN_PREFIX, REMOTE_WAN),
    ...plan.lines.flatMap((name, index) => remoteLineCommands(plan, name, index + 1)),
  ];
}

function remoteLineCommands(plan: Plan, name: string, line: number): string[] {
  const provider = plan.providers.get(line);
  const device = provider ?? name;
  const { router, remote, prefix } = lineEnds(line);
  const next = provider ? transit(line).provider : router;
  const v4 = `via ${next.v4} dev ${device}`;
  const v6 = `via ${next.v6} dev ${device}`;
  return [
    `link set ${device} up`,
    ...(provider
      ? [...address(device, transit(line).remote, 28, 64), ...transitRoutes(plan, device, line, "remote")]
      : [...address(device, remote, 24, 64), ...connected(plan, device, prefix, remote)]),
    // IPv6 is not translated.
    ...(provider ? [`-6 route replace ${prefix.v6} ${v6}`] : []),
    // The LAN, for traffic that no gateway has taken: over line 1, unless the traffic answers to a line's direct
    // address.
    ...(line === 1 ? route(plan, LAN.prefix, v4, v6) : []),
    ...route(
      plan,
      { v4: "default", v6: "default" },
      `${v4} table ${TABLE_BASE + line}`,
      `${v6} table ${TABLE_BASE + line}`,
    ),
    ...fromRules(direct(line), line),
  ];
}

/** A provider, with its lines on one side and its uplink on the other. */
export function providerCommands(plan: Plan, provider: string): string[] {
  const lines = plan.lines.map((name, index) => ({ name, line: index + 1 }));
  const own = lines.filter(({ line }) => plan.providers.get(line) === provider);
  return ["link set lo up", ...own.flatMap(({ name, line }) => providerLineCommands(plan, name, line))];
}

function providerLineCommands(plan: Plan, name: string, line: number): string[] {
  const { router, remote, prefix } = lineEnds(line);
  const { remote: next, provider } = transit(line);
  const table = `table ${TABLE_BASE + line}`;
  const [v4, v6] = [`via ${router.v4} dev ${name}`, `via ${router.v6} dev ${name}`];
  const everywhere = { v4: "default", v6: "default" };
  return [
    `link set ${name} up`,
    ...address(name, remote, 24, 64),
    ...connected(plan, name, prefix, remote),
    `link set ${UPLINK} up`,
    ...address(UPLINK, provider, 28, 64),
    ...transitRoutes(plan, UPLINK, line, "provider"),
    ...route(plan, everywhere, `via ${next.v4} dev ${UPLINK}`, `via ${next.v6} dev ${UPLINK}`),
    // The LAN is behind each line. Packets from a line's direct address, or from the line's end here, go over that
    // line.
    ...route(plan, LAN.prefix, `${v4} ${table}`, `${v6} ${table}`),
    ...fromRules(direct(line), line),
    ...fromRules(remote, line),
  ];
}

/** The uplink's device in a provider's namespace. */
export const UPLINK = "uplink";

function transitRoutes(plan: Plan, device: string, line: number, end: "remote" | "provider"): string[] {
  const own = transit(line)[end];
  const prefix = { v4: `192.0.2.${16 * line}/28`, v6: `2001:db8:a0:${line}::/64` };
  return connected(plan, device, prefix, own);
}

export function originCommands(plan: Plan): string[] {
  return [
    "link set lo up",
    "link set eth0 up",
    ...[ORIGIN, ...plan.lines.map((_, index) => direct(index + 1))].flatMap((pair) =>
      address("eth0", pair, 24, 64),
    ),
    ...connected(plan, "eth0", ORIGIN_PREFIX, ORIGIN),
    ...route(
      plan,
      { v4: "default", v6: "default" },
      `via ${REMOTE_WAN.v4} dev eth0`,
      `via ${REMOTE_WAN.v6} dev eth0`,
    ),
  ];
}

// The kernel's own route to a connected network would lack the congestion control, so the route is made by hand.
function address(device: string, pair: AddressPair, bits4: number, bits6: number): string[] {
  return [
    `addr replace ${pair.v4}/${bits4} dev ${device} noprefixroute`,
    `-6 addr replace ${pair.v6}/${bits6} dev ${device} nodad noprefixroute`,
  ];
}

function connected(plan: Plan, device: string, prefix: AddressPair, source: AddressPair): string[] {
  return route(plan, prefix, `dev ${device} src ${source.v4}`, `dev ${device} src ${source.v6}`);
}

function route(plan: Plan, to: AddressPair, how4: string, how6: string): string[] {
  const congestion = plan.congestion === undefined ? "" : ` congctl ${plan.congestion}`;
  return [`-4 route replace ${to.v4} ${how4}${congestion}`, `-6 route replace ${to.v6} ${how6}${congestion}`];
}

function fromRules(source: AddressPair, line: number): string[] {
  const action = `lookup ${TABLE_BASE + line} priority ${RULE_BASE + line}`;
  return [`-4 rule add from ${source.v4} ${action}`, `-6 rule add from ${source.v6} ${action}`];
}
