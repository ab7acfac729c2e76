import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { transit } from "./addresses.ts";
import type { Namespace } from "./namespace.ts";
import { type Plan, UPLINK } from "./plan.ts";

/** The rate of the class that connections begin in, bits per second: as good as no bound. */
const UNBOUNDED = 10_000e6;
/** The port to which a portal's connections are redirected. */
const PORTAL_PORT = 8888;

export interface Decay {
  /** A connection is slowed down when it has carried more than this, both ways together. */
  readonly afterBytes: number;
  /** The rate that all slowed connections share, bits per second. */
  readonly bps: number;
}

/**
 * `redirect`: HTTP 302 to a login page; `silent`: connections open, and get no answer; `tls`: a certificate of the
 * portal's own.
 */
export type PortalKind = "redirect" | "silent" | "tls";

/**
 * A provider between a line and the Internet. It translates addresses (IPv4), and can misbehave in the ways that people
 * report of their providers.
 */
export class Provider {
  readonly namespace: Namespace;
  readonly #plan: Plan;
  /** The numbers of the provider's lines. */
  readonly #lines: readonly number[];
  #publics: ReadonlyMap<number, string>;
  #isHoled = false;
  #portal: ChildProcess | undefined;

  constructor(namespace: Namespace, plan: Plan, lines: readonly number[]) {
    this.namespace = namespace;
    this.#plan = plan;
    this.#lines = lines;
    this.#publics = new Map(lines.map((line) => [line, transit(line).provider.v4]));
  }

  /** Begins to translate. */
  async start(): Promise<void> {
    await this.#sysctl("net/netfilter/nf_conntrack_acct", 1);
    await this.namespace.ip(
      this.#lines.map((line) => `addr add ${transit(line).otherPublic}/28 dev ${UPLINK}`),
    );
    await this.#translate();
  }

  /**
   * Drops packets that are longer than `mtu` bytes, without telling their sender: "fragmentation needed" and "packet
   * too big" are dropped, too. Undefined ends that.
   */
  async setHole(mtu: number | undefined): Promise<void> {
    const errors = [
      ["iptables", "OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"],
      ["ip6tables", "OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP"],
    ] as const;
    const isHoled = this.#isHoled;
    this.#isHoled = mtu !== undefined;
    // The errors are dropped first and let through last: a single error would tell the sender.
    if (mtu !== undefined && !isHoled)
      for (const [tool, rule] of errors) await this.#iptables(`-A ${rule}`, [tool]);
    await this.namespace.ip(this.#devices().map((device) => `link set ${device} mtu ${mtu ?? 1500}`));
    if (mtu === undefined && isHoled)
      for (const [tool, rule] of errors) await this.#iptables(`-D ${rule}`, [tool]);
  }

  /** Forgets established connections after this many idle seconds, and drops packets of unknown connections. */
  async forgetIdleAfter(seconds: number): Promise<void> {
    await this.#sysctl("net/netfilter/nf_conntrack_tcp_timeout_established", seconds);
    await this.#sysctl("net/netfilter/nf_conntrack_tcp_loose", 0);
    await this.#iptables("-A FORWARD -p tcp -m conntrack --ctstate INVALID -j DROP");
  }

  /** Forgets all connections. New ones come from another public address. */
  async changeAddress(): Promise<void> {
    const first = (line: number): string => transit(line).provider.v4;
    this.#publics = new Map(
      [...this.#publics].map(([line, now]) => [
        line,
        now === first(line) ? transit(line).otherPublic : first(line),
      ]),
    );
    await this.#translate();
    await this.forgetAll();
  }

  /** Forgets all connections, so the next packet of each belongs to an unknown connection. */
  async forgetAll(): Promise<void> {
    await this.namespace.exec("conntrack", ["-F"]);
  }

  /** Slows down long-lived connections, and no fresh ones. Undefined ends that. */
  async setDecay(decay: Decay | undefined): Promise<void> {
    const devices = this.#devices();
    await this.#iptables("-t mangle -F POSTROUTING");
    await Promise.all(devices.map((device) => this.#tc(`qdisc del dev ${device} root`).catch(() => {})));
    if (!decay) return;
    for (const device of devices) {
      await this.#tc(`qdisc add dev ${device} root handle 1: htb default 10`);
      await this.#tc(`class add dev ${device} parent 1: classid 1:10 htb rate ${UNBOUNDED}`);
      await this.#tc(
        `class add dev ${device} parent 1: classid 1:20 htb rate ${decay.bps} burst 5kb cburst 5kb`,
      );
      await this.#tc(`qdisc add dev ${device} parent 1:20 pfifo limit 100`);
    }
    const old = `-m connbytes --connbytes ${decay.afterBytes}: --connbytes-dir both --connbytes-mode bytes`;
    await this.#iptables(`-t mangle -A POSTROUTING -p tcp ${old} -j CLASSIFY --set-class 1:20`);
  }

  /** Bounds what all lines of the provider carry together each way, through one queue. */
  async setUplink(
    { down, up, queueMs }: { down: number; up: number; queueMs: number },
    remote: Namespace,
  ): Promise<void> {
    const shape = (bps: number): string => `root tbf rate ${bps} burst 15kb latency ${queueMs}ms`;
    await this.#tc(`qdisc replace dev ${UPLINK} ${shape(up)}`);
    const device = this.#plan.providers.get(this.#lines[0] as number) as string;
    await remote.exec("tc", `qdisc replace dev ${device} ${shape(down)}`.split(" "));
  }

  /** Answers all TCP of the provider's lines with a page of the provider, as for a guest who has not logged in. */
  async startPortal(kind: PortalKind): Promise<void> {
    const program = fileURLToPath(new URL("traffic/portal.ts", import.meta.url));
    const portal = this.namespace.spawn(process.execPath, [program, kind, String(PORTAL_PORT)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(portal.stdout as Readable, "data");
    this.#portal = portal;
    await this.#turnToPortal("-I");
    await this.forgetAll();
  }

  /** Ends the portal, as when the guest has logged in. */
  async endPortal(): Promise<void> {
    await this.#turnToPortal("-D");
    await this.forgetAll();
    this.#portal?.kill("SIGKILL");
    this.#portal = undefined;
  }

  async #turnToPortal(how: "-I" | "-D"): Promise<void> {
    for (const line of this.#lines) {
      const rule = `-t nat ${how} PREROUTING -i ${this.#device(line)} -p tcp -j REDIRECT --to-ports ${PORTAL_PORT}`;
      await this.#iptables(rule, ["iptables", "ip6tables"]);
    }
  }

  /** Gives each line a public address. A mark tells which line a connection came over. */
  async #translate(): Promise<void> {
    await this.#iptables("-t mangle -F PREROUTING");
    await this.#iptables("-t nat -F POSTROUTING");
    for (const [line, address] of this.#publics) {
      await this.#iptables(`-t mangle -A PREROUTING -i ${this.#device(line)} -j CONNMARK --set-mark ${line}`);
      const own = `-o ${UPLINK} -m connmark --mark ${line}`;
      await this.#iptables(`-t nat -A POSTROUTING ${own} -j SNAT --to-source ${address}`);
    }
  }

  /** All devices that packets leave by. */
  #devices(): string[] {
    return [UPLINK, ...this.#lines.map((line) => this.#device(line))];
  }

  #device(line: number): string {
    return this.#plan.lines[line - 1] as string;
  }

  async #iptables(rule: string, tools: readonly string[] = ["iptables"]): Promise<void> {
    for (const tool of tools) await this.namespace.exec(tool, ["-w", ...rule.split(" ")]);
  }

  async #tc(command: string): Promise<void> {
    await this.namespace.exec("tc", command.split(" "));
  }

  async #sysctl(name: string, value: number): Promise<void> {
    await this.namespace.exec("sh", ["-c", `echo ${value} > /proc/sys/${name}`]);
  }
}
