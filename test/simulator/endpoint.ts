import {
  MemoryBudget,
  makeTurn,
  Session,
  type SessionEvent,
  type TurnConnection,
} from "@hawser/multipath-engine";
import type { PathPolicy, PathRole } from "@hawser/shared-protocol";
import type { Random } from "@hawser/shared-protocol/testing";
import type { Clock } from "./clock.ts";

/** One end of a subflow's connection. */
export interface Connection extends TurnConnection {
  /** Closes in order: what was written still arrives. */
  end(): void;
}

/** What a stream's application is told. */
export interface StreamHandler {
  handleOpened?(): void;
  handleReadable?(): void;
  handleWritable?(): void;
  handleReset?(code: number): void;
  handleClosed?(): void;
}

export interface EndpointOptions {
  readonly side: "local" | "remote";
  readonly memoryCap: number;
  /** How long after an input the outputs are drained, milliseconds; a little random around it. */
  readonly hostTurn: number;
}

/** A session on virtual time. Its turns are those of the real program (`makeTurn`), a moment after an input or a command. */
export class Endpoint {
  readonly side: "local" | "remote";
  readonly session: Session;
  readonly clock: Clock;
  readonly connections = new Map<number, Connection>();
  readonly handlers = new Map<number, StreamHandler>();
  readonly events: SessionEvent[] = [];
  /** Seconds of CPU in the engine. */
  engineSeconds = 0;
  turns = 0;
  measureCpu = false;
  /** Remote: what to do with a new flow. */
  onOpen: (stream: number, event: Extract<SessionEvent, { type: "open" }>) => void = (stream) =>
    this.session.reset(stream, 2);
  onSubflowClosed: (subflow: number) => void = () => {};
  readonly #random: Random;
  readonly #hostTurn: number;
  #scheduled = false;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, random: Random, options: EndpointOptions) {
    this.side = options.side;
    this.clock = clock;
    this.#random = random;
    this.#hostTurn = options.hostTurn;
    this.session = new Session(
      { side: options.side, memory: new MemoryBudget(options.memoryCap) },
      clock.now,
    );
  }

  get now(): number {
    return this.clock.now;
  }

  addSubflow(
    id: number,
    path: string,
    connection: Connection,
    role: PathRole = "active",
    policy?: PathPolicy,
  ): void {
    this.session.addSubflow({ id, path, role, policy }, this.now);
    this.connections.set(id, connection);
    this.schedule();
  }

  handleBytes(subflow: number, bytes: Buffer): void {
    const from = this.measureCpu ? performance.now() : 0;
    this.session.handleBytes(subflow, bytes, this.now);
    if (this.measureCpu) this.engineSeconds += (performance.now() - from) / 1_000;
    this.schedule();
  }

  handleLost(subflow: number): void {
    if (!this.connections.delete(subflow)) return;
    this.session.handleSubflowLost(subflow, this.now);
    this.schedule();
  }

  /** A command, and the turn after it. */
  do<T>(command: (session: Session) => T): T {
    this.schedule();
    return command(this.session);
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.clock.after(this.#hostTurn * this.#random.between(0.5, 1.5), () => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    this.turns++;
    const from = this.measureCpu ? performance.now() : 0;
    makeTurn(this.session, this.connections, (event) => this.#handle(event), this.now);
    if (this.measureCpu) this.engineSeconds += (performance.now() - from) / 1_000;
    this.#arm();
  }

  #arm(): void {
    const next = this.session.pollTimeout();
    if (next <= this.now)
      throw new Error(`pollTimeout ${next} is not after ${this.now}: the driver would spin`);
    if (next >= this.#timerAt && this.#timerAt > this.now) return;
    this.#timerAt = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.clock.at(next, () => {
      if (this.#timerAt === next) this.#timerAt = Number.POSITIVE_INFINITY;
      this.schedule();
    });
  }

  #handle(event: SessionEvent): void {
    switch (event.type) {
      case "open":
        return this.onOpen(event.stream, event);
      case "opened":
        return this.handlers.get(event.stream)?.handleOpened?.();
      case "readable":
        return this.handlers.get(event.stream)?.handleReadable?.();
      case "writable":
        return this.handlers.get(event.stream)?.handleWritable?.();
      case "reset":
        return this.#take(event.stream)?.handleReset?.(event.code);
      case "closed":
        return this.#take(event.stream)?.handleClosed?.();
      case "close-subflow":
        return this.#close(event.subflow);
      default:
        this.events.push(event);
    }
  }

  #take(stream: number): StreamHandler | undefined {
    const handler = this.handlers.get(stream);
    this.handlers.delete(stream);
    return handler;
  }

  #close(subflow: number): void {
    const connection = this.connections.get(subflow);
    const words = this.session.takeLastWords(subflow);
    if (words) connection?.write(words);
    connection?.end();
    this.connections.delete(subflow);
    this.onSubflowClosed(subflow);
  }
}
