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
import type { PathObserver, PathRecord } from "./path-record.ts";
import { PathRecords } from "./path-records.ts";
import { type StreamHandler, StreamHandlers } from "./stream-handlers.ts";
import { TurnTimer } from "./turn-timer.ts";

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
  readonly #handlers: StreamHandlers;
  readonly #paths: PathRecords;
  readonly #timer = new TurnTimer(() => this.#turn());
  readonly #whenAllClosed: (() => void)[] = [];

  constructor(options: SessionDriverOptions) {
    this.#options = options;
    this.name = options.name;
    this.#handlers = new StreamHandlers((code) => options.onFlowFailed?.(code));
    this.#paths = new PathRecords(options.side, options.paths, options.pathObserver);
    this.session = new Session({ side: options.side, memory: options.memory }, performance.now());
    this.schedule();
  }

  // --- subflows ---

  /** The record of a path; it begins with the path's first subflow. */
  path(name: string, role: PathRole): PathRecord {
    return this.#paths.open(name, role);
  }

  get paths(): readonly PathRecord[] {
    return this.#paths.all;
  }

  get connections(): ReadonlyMap<number, SubflowConnection> {
    return this.#connections;
  }

  /** Takes over a connection that has joined. `rest` is what came behind the first frame. */
  addSubflow(socket: TLSSocket, { replaces, ...options }: JoinedSubflow, rest: Buffer): void {
    const { id, path } = options;
    if (replaces !== undefined && this.#connections.has(replaces)) this.#replaced.add(replaces);
    const subflow = this.session.addSubflow(options, performance.now());
    const record = this.#paths.follow(subflow);
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
    const record = this.#paths.open(path, subflow.role);
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
    this.#handlers.adopt(stream, handler);
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
    this.#handlers.releaseFailed(stream, code);
    this.session.reset(stream, code);
    this.schedule();
  }

  /**
   * The same behind what was written to the stream, unless the peer takes nothing of it for too long: what a TCP
   * connection brought before its RST can still be read.
   */
  resetBehind(stream: number, code: StreamCode): void {
    this.#handlers.releaseFailed(stream, code);
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
    this.#timer.schedule();
  }

  #turn(): void {
    const now = performance.now();
    makeTurn(this.session, this.#connections, (event) => this.#deliver(event), now);
    // A closed session waits for nothing: its timer would hold it in memory for minutes.
    if (this.session.isClosed) this.#timer.cancel();
    else this.#timer.wakeAt(this.session.pollTimeout(), now);
    this.#options.onBusy?.(performance.now() - now);
  }

  #deliver(event: SessionEvent): void {
    switch (event.type) {
      case "open":
        return this.#options.onOpen?.(event.stream, event.request);
      case "refused":
        return this.#options.onRefused?.(event.reason);
      case "opened":
      case "readable":
      case "writable":
      case "resetting":
      case "reset":
      case "closed":
        return this.#handlers.deliver(event);
      case "subflow":
        return this.#report(event.subflow, event.state);
      case "rest":
        return this.#recordOf(event.subflow)?.noteRest();
      case "role":
        return this.#handleRole(event.subflow);
      case "tier":
        return this.#paths.noteUse(event, this.session.subflows);
      case "egress":
        return this.#options.onEgress?.(event.families);
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

  #handleRole(id: number): void {
    const subflow = this.#connections.get(id)?.subflow;
    if (subflow) this.#paths.follow(subflow);
  }

  #report(id: number, state: "probation" | "up" | "suspect" | "dead"): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    this.#recordOf(id)?.noteState();
    this.#options.onSubflow?.({ id, path: connection.subflow.path, state });
  }

  /** The record of the path of a subflow that is connected. */
  #recordOf(id: number): PathRecord | undefined {
    const connection = this.#connections.get(id);
    return connection && this.#paths.get(connection.subflow.path);
  }
}
