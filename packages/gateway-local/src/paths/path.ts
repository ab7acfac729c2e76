import type { Logger } from "@hawser/gateway-kit";
import { childLogger, type PathRecord, type SubflowChange } from "@hawser/gateway-kit";
import { CloseCode, canonicalIp, type PathPolicy, type PathRole } from "@hawser/shared-protocol";
import { pathStatus } from "@hawser/status-api";
import type { PathStatus } from "@hawser/status-api/model";
import type { PathConfig } from "../config.ts";
import type { PathQuota } from "../quota/path-quota.ts";
import type { RemoteAddresses } from "../remote-addresses.ts";
import type { SessionKeeper } from "../session-keeper.ts";
import type { LinkOwner, LinkWatch } from "./link-watch.ts";
import { SharedRace } from "./shared-race.ts";
import { SubflowDialler } from "./subflow-dialler.ts";

/** One path: keeps its subflows dialled, and knows its role. */
export class Path implements LinkOwner {
  readonly config: PathConfig;
  /** The state and counters of the status report. */
  readonly record: PathRecord;
  /** How its subflows connect: one attempt for all (shared-race.ts). */
  readonly race = new SharedRace();
  readonly #keeper: SessionKeeper;
  readonly #links: LinkWatch;
  readonly #logger: Logger;
  readonly #diallers: SubflowDialler[];
  /** The role in the configuration, or the one that a user has given since. */
  #wanted: PathRole;
  #wantedReason = "configured";
  #quota: PathQuota | undefined;
  /** Whether a drill has taken the path out, so that it is not dialled. */
  #isOut = false;
  /** Why the path's link is away; undefined while it is there. */
  #linkLost: string | undefined;

  constructor(
    config: PathConfig,
    keeper: SessionKeeper,
    links: LinkWatch,
    remote: RemoteAddresses,
    logger: Logger,
  ) {
    this.config = config;
    this.#wanted = config.role;
    this.record = keeper.driver.path(config.name, config.role);
    this.#keeper = keeper;
    this.#links = links;
    this.#logger = childLogger(logger, { path: config.name });
    this.#diallers = Array.from(
      { length: config.subflows },
      (_, index) => new SubflowDialler(this, index, keeper, remote, this.#logger),
    );
  }

  get name(): string {
    return this.config.name;
  }

  /** The role in the configuration, or the one that a user has given since. The role in force may be another. */
  get role(): PathRole {
    return this.#wanted;
  }

  /** The role in force: a quota that is reached may allow less than the role. */
  get roleInForce(): PathRole {
    if (!this.#quota?.isReached || this.#wanted === "disabled") return this.#wanted;
    return this.#quota.config.whenReached === "backup" ? "backup" : "disabled";
  }

  /** For people: why it has the role in force. */
  get roleReason(): string {
    if (!this.#quota || this.roleInForce === this.#wanted) return this.#wantedReason;
    return this.#quota.endReason;
  }

  /** Rules for what is sent over the path in this direction. */
  policy(direction: "up" | "down"): PathPolicy {
    const { tier, metered, maxRate } = this.config;
    const bits = maxRate[direction] ?? 0;
    return { tier, metered, rate: Math.round(bits / 8), rationed: this.#quota !== undefined };
  }

  status(): PathStatus {
    const { tier, metered, maxRate } = this.config;
    const { role, roleInForce, roleReason } = this;
    return {
      ...pathStatus(this.record),
      role,
      roleInForce,
      roleReason,
      tier: role === "overflow" ? tier : null,
      maxRateBps: { down: maxRate.down ?? null, up: maxRate.up ?? null },
      metered,
      quota: this.#quota?.status() ?? null,
    };
  }

  start(): void {
    if (this.#isOut || this.roleInForce === "disabled") return;
    this.#links.add(this);
    for (const dialler of this.#diallers) dialler.start();
  }

  /**
   * Dials every subflow again with the present pairing, one after another, each beside the subflow that it replaces. A
   * subflow that is not connected carries nothing, so the others do not wait for it.
   */
  async renew(): Promise<void> {
    for (const dialler of this.#diallers) {
      const isJoined = dialler.subflow !== undefined;
      const renewed = dialler.renew();
      if (isJoined) await renewed;
    }
  }

  /** Dials subflows again, each beside the one that it replaces, whose TLS keys have encrypted as much as they should. */
  renewKeys(): void {
    const { connections } = this.#keeper.driver;
    for (const dialler of this.#diallers) {
      const { subflow } = dialler;
      if (subflow === undefined || dialler.isDialling || !connections.get(subflow)?.keyUse.isSpent) continue;
      this.#logger.info({ subflow }, "the subflow is dialled anew: its keys were used for long");
      void dialler.renew();
    }
  }

  stop(): void {
    this.#links.remove(this);
    this.#linkLost = undefined;
    for (const dialler of this.#diallers) dialler.stop();
  }

  /** Ends the path's connections as a lost link would, and dials none until `putBack`. */
  takeOut(reason: string): void {
    if (this.#isOut) return;
    this.#isOut = true;
    this.#logger.warn({ reason }, "the path is taken out");
    this.stop();
    this.#cut(reason);
  }

  putBack(): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    this.#logger.info("the path is put back");
    this.start();
  }

  /** Takes effect at once. The subflows of a disabled path are closed; any other role is sent to the remote gateway. */
  setRole(role: PathRole, reason: string): void {
    if (role !== this.role) {
      this.#logger.info({ pathRole: role, before: this.role, reason }, "path has another role");
      this.#wanted = role;
      this.#wantedReason = reason;
    }
    this.enforceRole();
  }

  /** To be called before the path is started. */
  setQuota(quota: PathQuota): void {
    this.#quota = quota;
    this.enforceRole();
  }

  /** Brings the role in force into effect, after the quota was reached or a new month has begun. */
  enforceRole(): void {
    const role = this.roleInForce;
    if (role === this.record.role) return;
    this.record.setRole(role, this.roleReason);
    this.#keeper.driver.setPathRole(this.name, role);
    if (role === "disabled") this.#close();
    else this.start();
  }

  /** Bytes that may go in each direction from now on. */
  setAllowance(bytes: { readonly send: number; readonly receive: number }): void {
    this.#keeper.driver.setAllowance(this.name, bytes);
  }

  /** Runs in the turn after the next, so that the remote gateway is told the role before the subflows end. */
  #close(): void {
    this.stop();
    const { driver } = this.#keeper;
    const subflows = this.#diallers.map(({ subflow }) => subflow);
    setImmediate(() => {
      for (const id of subflows)
        if (id !== undefined) driver.closeSubflow(id, CloseCode.done, "the path was disabled");
    });
  }

  /**
   * The link is away. The path's connections get no error from the kernel, so they are ended now and their data goes
   * over other lines.
   */
  handleLinkLost(reason: string): void {
    this.#linkLost = reason;
    this.#logger.warn({ reason }, "the path's link is lost");
    this.#cut(reason);
  }

  /**
   * Connections from these addresses end, their data goes over other lines, and the path is dialled from its new
   * address.
   */
  handleAddressesGone(addresses: ReadonlySet<string>): void {
    const { driver } = this.#keeper;
    const own = new Set(this.#diallers.map(({ subflow }) => subflow));
    for (const [id, { socket }] of driver.connections) {
      if (!own.has(id) || !addresses.has(canonicalIp(socket.localAddress ?? ""))) continue;
      const reason = `the address ${socket.localAddress} has left this machine`;
      this.#logger.warn({ subflow: id, reason }, "the path's address is lost");
      driver.closeSubflow(id, CloseCode.unresponsive, reason);
    }
    for (const dialler of this.#diallers) dialler.handleAddressesGone();
  }

  #cut(reason: string): void {
    for (const { subflow } of this.#diallers) {
      if (subflow !== undefined) this.#keeper.driver.closeSubflow(subflow, CloseCode.unresponsive, reason);
    }
  }

  handleLinkBack(): void {
    this.#linkLost = undefined;
    this.#logger.info("the path's link is there again");
    for (const dialler of this.#diallers) dialler.hurry();
  }

  /** Logs a failed attempt once for each reason, not once for each attempt. */
  handleFailure(error: Error): void {
    const reason = this.#linkLost ?? error.message;
    if (this.record.lastError !== reason) {
      this.#logger.warn({ err: error }, "cannot reach the remote gateway over this path");
    }
    this.record.handleFailure(reason);
  }

  /** A subflow of this path joined, changed its state, or was lost. */
  handleSubflow({ id, state, reason, isMeant }: SubflowChange): void {
    const level = state === "lost" && !isMeant ? "warn" : "info";
    this.#logger[level]({ session: this.#keeper.driver.name, subflow: id, state, reason }, "subflow changed");
    if (state === "lost") this.#diallers.find(({ subflow }) => subflow === id)?.handleLost();
  }

  /** There is a new session: every subflow of the old one is gone. */
  handleNewSession(): void {
    for (const dialler of this.#diallers) dialler.handleLost();
  }
}
