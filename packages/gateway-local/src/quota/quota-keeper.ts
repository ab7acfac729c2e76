import { everySecond, type Logger } from "@hawser/gateway-kit";
import type { EventLog } from "@hawser/status-api";
import { type EventType, formatBytes, formatDay } from "@hawser/status-api/model";
import type { Path } from "../paths/path.ts";
import { KERNEL_MEND, whatIsUncounted } from "./kernel-counts.ts";
import { PathQuota, type QuotaEvent } from "./path-quota.ts";
import type { PeriodCount } from "./period.ts";
import { QuotaFile } from "./quota-file.ts";
import { Reservation } from "./reservation.ts";

/**
 * How often the lines' bytes are counted and the quota's rest is shared out anew while the lines carry something,
 * milliseconds. Idle lines are counted once a second.
 */
const PERIOD_MS = 100;
/** An idle line carries less than this between two counts, bytes of frames: PINGs and their answers. */
const IDLE_BYTES = 4_096;

interface Entry {
  readonly path: Path;
  readonly quota: PathQuota;
  readonly reservation: Reservation;
}

/**
 * Keeps the quotas of all paths: counts bytes, says how much may be sent, stores the counts, and changes the role of a
 * path whose quota is reached.
 */
export class QuotaKeeper {
  readonly #file: QuotaFile;
  readonly #logger: Logger;
  readonly #events: EventLog;
  readonly #peer: string;
  #entries: Entry[] = [];
  /** The counts that are on the disk, or are being written; also those of paths that have no quota at present. */
  readonly #written = new Map<string, PeriodCount>();
  #isLoaded = false;
  #timer: NodeJS.Timeout | undefined;
  #endTicks: (() => void) | undefined;
  /** What all paths had carried at the last count, bytes of frames. */
  #lookedAt = 0;
  #saving: Promise<unknown> = Promise.resolve();

  /** `peer` is the session's name in events. */
  constructor(folder: string, logger: Logger, events: EventLog, peer: string) {
    this.#file = new QuotaFile(folder, logger);
    this.#logger = logger;
    this.#events = events;
    this.#peer = peer;
  }

  /** Keeps the quotas of these paths from now on, instead of those before. @throws CodedError STATE_UNWRITABLE */
  async follow(paths: readonly Path[]): Promise<void> {
    const limited = paths.filter(({ config }) => config.quota !== undefined);
    for (const { path, quota } of this.#entries) quota.handleLine(path.record.lineBytes, new Date());
    const exact = new Map(this.#entries.map(({ path, quota }) => [path.name, quota.count]));
    if (limited.length > 0) this.#load();
    this.#endTicks?.();
    this.#entries = limited.map((path) => this.#entry(path, exact.get(path.name)));
    if (limited.length === 0) return;
    this.#endTicks = everySecond(() => this.#check());
    this.#check();
    // Written at once, so that a folder that cannot be written is an error at start.
    await this.#save();
  }

  #load(): void {
    if (this.#isLoaded) return;
    const uncounted = whatIsUncounted();
    if (uncounted !== undefined) this.#logger.warn(`${uncounted}; ${KERNEL_MEND}`);
    for (const [name, count] of this.#file.load()) this.#written.set(name, count);
    this.#isLoaded = true;
  }

  #entry(path: Path, exact: PeriodCount | undefined): Entry {
    const { quota: config, subflows } = path.config;
    if (!config) throw new TypeError(`path ${path.name} has no quota`);
    const stored = exact ?? this.#written.get(path.name);
    const quota = new PathQuota(config, subflows, stored, path.record.lineBytes, new Date());
    path.setQuota(quota);
    return { path, quota, reservation: new Reservation(quota.count.used, performance.now()) };
  }

  /** Tells a subflow that has joined how much it may send: it waits for that. */
  handleJoined(name: string): void {
    const entry = this.#entries.find(({ path }) => path.name === name);
    if (entry) this.#ration(entry);
  }

  /** The session has done some work, so the lines may have carried bytes. */
  handleTurn(): void {
    if (this.#timer || this.#carried() - this.#lookedAt < IDLE_BYTES) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#check();
    }, PERIOD_MS).unref();
  }

  #carried(): number {
    return this.#entries.reduce((sum, { path }) => {
      const { sent, received } = path.record.frameBytes;
      return sum + sent + received;
    }, 0);
  }

  #check(): void {
    const now = new Date();
    this.#lookedAt = this.#carried();
    let isDue = false;
    for (const entry of this.#entries) {
      const { path, quota, reservation } = entry;
      for (const event of quota.handleLine(path.record.lineBytes, now)) this.#tell(event, entry);
      path.enforceRole();
      this.#ration(entry);
      const used = reservation.handleUsed(quota.count.used, performance.now());
      if (used === undefined) continue;
      this.#written.set(path.name, { ...quota.count, used });
      isDue = true;
    }
    if (isDue) void this.#saveOrLog();
  }

  #ration({ path, quota }: Entry): void {
    path.setAllowance(quota.allowance);
  }

  #tell(event: QuotaEvent, { path, quota }: Entry): void {
    const { limitBytes, usedBytes, resetsAt } = quota.status();
    const facts = { path: path.name, quotaEvent: event, usedBytes, limitBytes, resetsAt };
    const message = messageOf(event, path.name, quota);
    this.#logger[event === "reset" ? "info" : "warn"](facts, message);
    const type: EventType = `quota-${event}`;
    this.#events.add(type, message, { peer: this.#peer, path: path.name });
  }

  /** One write at a time, in order. */
  #save(): Promise<void> {
    const saved = this.#saving.then(() => this.#file.save(this.#written));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  #saveOrLog(): Promise<void> {
    return this.#save().catch((error: unknown) => {
      this.#logger.error({ err: error }, "the quotas' counts are not written");
    });
  }

  /** Stores the exact counts. */
  async stop(): Promise<void> {
    this.#endTicks?.();
    clearTimeout(this.#timer);
    if (this.#entries.length === 0) return;
    for (const { path, quota } of this.#entries) {
      quota.handleLine(path.record.lineBytes, new Date());
      this.#written.set(path.name, quota.count);
    }
    this.#entries = [];
    await this.#saveOrLog();
  }
}

function messageOf(event: QuotaEvent, path: string, quota: PathQuota): string {
  const { limitBytes, whenReached, resetsAt } = quota.status();
  const limit = formatBytes(limitBytes);
  const day = formatDay(new Date(resetsAt));
  if (event === "reset") return `${path}: a new month of its quota of ${limit} begins, until ${day}`;
  if (event === "warned") return `${path}: 80 % of its quota of ${limit} are used; it begins anew on ${day}`;
  const then = whenReached === "backup" ? "it is a backup line" : "it is not used any more";
  return `${path}: its quota of ${limit} is used up; ${then} until ${day}`;
}
