import type { TLSSocket } from "node:tls";
import {
  type MemoryBudget,
  makeTurn,
  Session,
  type SessionEvent,
  type StreamRefusal,
  type StreamRequest,
  type Subflow,
  type SubflowOptions,
  type TierChange,
} from "@hawser/multipath-engine";
import {
  CloseCode,
  type EgressFamilies,
  type Endpoint,
  type PathRole,
  type StreamCode,
} from "@hawser/shared-protocol";
import { SubflowConnection } from "@hawser/subflow-transport";
import { whenStill } from "../flows/reset-patience.ts";
import { type PathObserver, PathRecord } from "./path-record.ts";

/** When to look again at a line that takes nothing, milliseconds. */
const BLOCKED_MS = 20;
/** Why a path has another role, as the remote gateway sees it. */
const TOLD = "told by the local gateway";

/** What a stream's owner (a flow) is told. */
export interface StreamHandler {
  /** The stream is the gateways' own, and counts as no flow. */
  readonly isOwn?: true;
  /** Local: the destination was reached. */
  handleOpened(bound: Endpoint): void;
  handleReadable(): void;
  handleWritable(): void;
  /** The peer has reset the stream: what came before is read, and nothing written. `handleReset` follows. */
  handleResetting?(): void;
  /** The stream is gone; nothing more comes. */
  handleReset(code: StreamCode): void;
  /** Both directions ended in order; nothing more comes. */
  handleClosed(): void;
}

export interface SessionDriverOptions {
  /** What logs and the API call the session, at both ends. */
  readonly name: string;
  readonly side: "local" | "remote";
  /** Shared by all sessions of the gateway. */
  readonly memory: MemoryBudget;
  /** Where the paths' records are kept; they may outlive the session. */
  readonly paths?: Map<string, PathRecord>;
  /** Told of the paths' changes. */
  readonly pathObserver?: PathObserver;
  /** Remote: a flow wants to be dialled. Register its handler with `adopt`. */
  onOpen?(stream: number, request: StreamRequest): void;
  /** A flow was reset by either gateway, or with its session. */
  onFlowFailed?(code: StreamCode): void;
  /** Remote: a flow was refused before anything was known of it. */
  onRefused?(reason: StreamRefusal): void;
  /** Local: the remote gateway's way out is known, or has changed. */
  onEgress?(families: EgressFamilies): void;
  /** A subflow joined, changed its state, or left. */
  onSubflow?(change: SubflowChange): void;
  /** So many milliseconds of this process went into the session. */
  onBusy?(ms: number): void;
  onClosed(code: CloseCode, reason: string): void;
}

/** A subflow joined, changed its state, or left. */
export interface SubflowChange {
  readonly id: number;
  readonly path: string;
  readonly state: "joined" | "up" | "probation" | "suspect" | "dead" | "lost";
  /** Why it was lost. */
  readonly reason?: string | undefined;
  /** That it was lost is no fault: the session is over, its path disabled, or another has taken its place. */
  readonly isMeant?: boolean;
}

export interface JoinedSubflow extends Omit<SubflowOptions, "side"> {
  /** The number of the subflow whose place it takes: the remote gateway ends that one. */
  readonly replaces?: number | undefined;
}

/** Runs one session on real connections and the real clock: inputs in, then all outputs, once per event loop turn. */
export class SessionDriver {
  readonly name: string;
  readonly session: Session;
  readonly #options: SessionDriverOptions;
  readonly #connections = new Map<number, SubflowConnection>();
  /** Connections whose place others have taken: they are about to end. */
  readonly #replaced = new Set<number>();
  readonly #handlers = new Map<number, StreamHandler>();
  readonly #paths: Map<string, PathRecord>;
  readonly #whenAllClosed: (() => void)[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: SessionDriverOptions) {
    this.#options = options;
    this.name = options.name;
    this.#paths = options.paths ?? new Map();
    this.session = new Session({ side: options.side, memory: options.memory }, performance.now());
    this.schedule();
  }

  // --- subflows ---

  /** The record of a path; it begins with the path's first subflow. */
  path(name: string, role: PathRole): PathRecord {
    let record = this.#paths.get(name);
    if (!record) {
      const { side, pathObserver } = this.#options;
      record = new PathRecord(name, role, side === "local" ? "configured" : TOLD, pathObserver);
      this.#paths.set(name, record);
    }
    return record;
  }

  get paths(): readonly PathRecord[] {
    return [...this.#paths.values()];
  }

  get connections(): ReadonlyMap<number, SubflowConnection> {
    return this.#connections;
  }

  /** Takes over a connection that has joined. `rest` is what came behind the first frame. */
  addSubflow(socket: TLSSocket, { replaces, ...options }: JoinedSubflow, rest: Buffer): void {
    const { id, path, role } = options;
    if (replaces !== undefined && this.#connections.has(replaces)) this.#replaced.add(replaces);
    const subflow = this.session.addSubflow(options, performance.now());
    const record = this.path(path, role);
    record.setRole(role, TOLD);
    const connection = new SubflowConnection(subflow, socket, {
      onBytes: (bytes) => {
        const now = performance.now();
        this.session.handleBytes(id, bytes, now);
        this.#options.onBusy?.(performance.now() - now);
        this.schedule();
      },
      onDrain: () => this.schedule(),
      onLost: (error) => this.#handleLost(subflow, error),
    });
    record.handleJoined(subflow, connection.line);
    this.#connections.set(id, connection);
    this.#options.onSubflow?.({ id, path, state: "joined" });
    if (rest.length > 0) this.session.handleBytes(id, rest, performance.now());
    this.schedule();
  }

  #handleLost(subflow: Subflow, error: Error | undefined): void {
    const { id, path } = subflow;
    const reason = this.#connections.get(id)?.closeReason ?? error?.message ?? "the connection ended";
    this.#connections.delete(id);
    this.session.handleSubflowLost(id, performance.now());
    const record = this.path(path, subflow.role);
    const isMeant = this.#replaced.delete(id) || record.role === "disabled" || this.session.isClosed;
    record.handleLost(subflow, reason, isMeant);
    this.#options.onSubflow?.({ id, path, state: "lost", reason, isMeant });
    if (this.#connections.size === 0) for (const done of this.#whenAllClosed.splice(0)) done();
    this.schedule();
  }

  /** Ends a subflow for a reason of ours (its path was disabled, another took its place). */
  closeSubflow(id: number, code: CloseCode, reason: string): void {
    this.session.closeSubflow(id, code, reason, performance.now());
    this.schedule();
  }

  setPathRole(path: string, role: PathRole): void {
    this.session.setPathRole(path, role);
    this.schedule();
  }

  /** Local: rations a path; see `Session.setAllowance`. `bytes` is shared by the path's subflows. */
  setAllowance(path: string, bytes: { readonly send: number; readonly receive: number }): void {
    const subflows = [...this.session.subflows].filter((subflow) => subflow.path === path);
    const send = bytes.send / subflows.length;
    const receive = bytes.receive / subflows.length;
    let isDue = false;
    for (const { id } of subflows) if (this.session.setAllowance(id, { send, receive })) isDue = true;
    if (isDue) this.schedule();
  }

  /** Remote: by which address families this gateway reaches the Internet. */
  setEgress(families: EgressFamilies): void {
    this.session.setEgress(families);
    this.schedule();
  }

  close(code: CloseCode, reason: string): void {
    this.session.close(code, reason, performance.now());
    this.schedule();
  }

  /** Resolves when every connection is gone; after `close` that takes a second at most. */
  allClosed(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((done) => this.#whenAllClosed.push(done));
  }

  /** Whether what the peer sends is read, on all subflows. */
  setReading(isReading: boolean): void {
    for (const connection of this.#connections.values()) connection.setReading(isReading);
  }

  // --- streams ---

  /** Opens a stream; undefined when the session cannot take one more. Register its handler with `adopt`. */
  open(request: StreamRequest): number | undefined {
    this.schedule();
    return this.session.open(request, performance.now());
  }

  adopt(stream: number, handler: StreamHandler): void {
    this.#handlers.set(stream, handler);
    if (handler.isOwn) this.session.setOwn(stream);
  }

  accept(stream: number, bound: Endpoint): void {
    this.session.accept(stream, bound);
    this.schedule();
  }

  write(stream: number, bytes: Buffer, release?: () => void): boolean {
    this.schedule();
    return this.session.write(stream, bytes, release);
  }

  /** Has the stream's data go over these paths alone; see `Session.restrict`. */
  restrict(stream: number, paths: readonly string[]): void {
    this.session.restrict(stream, new Set(paths));
    this.schedule();
  }

  end(stream: number): void {
    this.session.end(stream);
    this.schedule();
  }

  /** Resets the stream; its handler hears no more of it. */
  reset(stream: number, code: StreamCode): void {
    this.#noteFailure(this.#release(stream), code);
    this.session.reset(stream, code);
    this.schedule();
  }

  /**
   * The same behind what was written to the stream, unless the peer takes nothing of it for too long: what a TCP
   * connection brought before its RST can still be read.
   */
  resetBehind(stream: number, code: StreamCode): void {
    this.#noteFailure(this.#release(stream), code);
    this.schedule();
    if (this.session.resetBehind(stream, code)) return;
    // While there is no line, the session's own patience counts.
    const moved = (ackedTo: number): number => (this.#connections.size > 0 ? ackedTo : performance.now());
    const progress = (): number | undefined => {
      const tail = this.session.stream(stream);
      return tail && moved(tail.sendBuffer.ackedTo);
    };
    whenStill(progress, () => {
      this.session.reset(stream, code);
      this.schedule();
    });
  }

  consume(stream: number, bytes: number): void {
    this.session.consume(stream, bytes, performance.now());
    this.schedule();
  }

  // --- the turn ---

  /** Asks for one turn after this phase of the event loop, however many inputs come before it. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const now = performance.now();
    makeTurn(this.session, this.#connections, (event) => this.#deliver(event), now);
    this.#armTimer(now);
    this.#options.onBusy?.(performance.now() - now);
  }

  #deliver(event: SessionEvent): void {
    switch (event.type) {
      case "open":
        return this.#options.onOpen?.(event.stream, event.request);
      case "opened":
        return this.#handlers.get(event.stream)?.handleOpened(event.bound);
      case "readable":
        return this.#handlers.get(event.stream)?.handleReadable();
      case "writable":
        return this.#handlers.get(event.stream)?.handleWritable();
      case "resetting":
        return this.#handlers.get(event.stream)?.handleResetting?.();
      case "reset":
        return this.#handleReset(this.#release(event.stream), event.code);
      case "closed":
        return this.#release(event.stream)?.handleClosed();
      case "subflow":
        return this.#report(event.subflow, event.state);
      case "rest":
        return this.#handleRest(event.subflow);
      case "role":
        return this.#handleRole(event.subflow);
      case "egress":
        return this.#options.onEgress?.(event.families);
      case "refused":
        return this.#options.onRefused?.(event.reason);
      case "tier":
        return this.#handleTiers(event);
      case "close-subflow":
        return this.#close(event.subflow, event.code, event.reason);
      case "session-closed":
        return this.#options.onClosed(event.code, event.reason);
    }
  }

  /** A line that takes nothing any more gets no last words: its path is to be dialled again at once. */
  #close(id: number, code: CloseCode, reason: string): void {
    const words = this.session.takeLastWords(id);
    const connection = this.#connections.get(id);
    if (code === CloseCode.unresponsive) connection?.cut(reason);
    else connection?.close(words, reason);
  }

  #release(stream: number): StreamHandler | undefined {
    const handler = this.#handlers.get(stream);
    this.#handlers.delete(stream);
    return handler;
  }

  #handleReset(handler: StreamHandler | undefined, code: StreamCode): void {
    this.#noteFailure(handler, code);
    handler?.handleReset(code);
  }

  #noteFailure(handler: StreamHandler | undefined, code: StreamCode): void {
    if (!handler?.isOwn) this.#options.onFlowFailed?.(code);
  }

  /** Tells of the paths that the change is about. */
  #handleTiers(change: TierChange): void {
    const [low, high] = [Math.min(change.top, change.before), Math.max(change.top, change.before)];
    const concerned = [...this.session.subflows].filter(({ tier }) => tier > low && tier <= high);
    for (const name of new Set(concerned.map(({ path }) => path))) this.#paths.get(name)?.noteUse(change);
  }

  #handleRest(id: number): void {
    const path = this.#connections.get(id)?.subflow.path;
    if (path !== undefined) this.#paths.get(path)?.noteRest();
  }

  #handleRole(id: number): void {
    const subflow = this.#connections.get(id)?.subflow;
    if (subflow) this.path(subflow.path, subflow.role).setRole(subflow.role, TOLD);
  }

  #report(id: number, state: "probation" | "up" | "suspect" | "dead"): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    this.#paths.get(connection.subflow.path)?.noteState();
    this.#options.onSubflow?.({ id, path: connection.subflow.path, state });
  }

  /** One timer, moved only when the next deadline is earlier than the one it waits for. */
  #armTimer(now: number): void {
    const next = this.session.pollTimeout();
    // A closed session waits for nothing: its timer would hold it in memory for minutes.
    if (this.#timer && this.#timerAt <= next && !this.session.isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timerAt = next;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.schedule();
      },
      // Due and not done: its connection takes nothing now, and says so itself when it does.
      next <= now ? BLOCKED_MS : Math.max(1, Math.ceil(next - now)),
    );
  }
}
