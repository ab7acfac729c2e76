import assert from "node:assert/strict";
import type { SessionEvent } from "@hawser/multipath-engine";
import { content, isContent, Victim } from "@hawser/multipath-engine/testing";
import { FrameDecoder, PATH_ROLES } from "@hawser/shared-protocol";
import type { Random } from "@hawser/shared-protocol/testing";
import { type AnyFrame, cut, encode, mutate } from "./frames.ts";
import { flood, hostileFrame, type Knowledge } from "./hostile-frames.ts";
import { assertBounds, assertNothingLeft } from "./invariants.ts";

/** What the session sends is other content than what it gets. */
const OUTWARD = 1_000;
const REQUEST = {
  kind: "redirect",
  destination: { host: "192.0.2.1", port: 443 },
  source: { host: "10.0.0.2", port: 40_000 },
} as const;

/** Bytes of one write. */
const MOST_WRITTEN = 262_144;

/** How far each stream's application has written and read. */
interface App {
  written: number;
  read: number;
  unconsumed: number;
  isBlocked: boolean;
}

/**
 * One session between a peer that plays foul and applications that do as they like. Whatever either does: nothing is
 * thrown, every bound holds, and what is read or sent are the right bytes.
 */
export class SessionGame implements Knowledge {
  readonly side: "local" | "remote";
  readonly #random: Random;
  readonly #victim: Victim;
  readonly #apps = new Map<number, App>();
  /** Subflows whose connection takes nothing: the peer does not read. */
  readonly #unread = new Set<number>();
  readonly #decoders = new Map<number, FrameDecoder>();
  /** How often what the peer sends breaks a rule on purpose: most of these end the session, and with it the game. */
  readonly #breach: number;
  /** The peer's bytes were mutated: what is read may be anything. */
  #hasLied = false;
  #subflows = 0;
  #streams = 0;
  frames = 0;
  operations = 0;
  /** Milliseconds. */
  slowest = 0;

  /** What may happen, and how often, compared with the others. */
  readonly #operations: readonly (readonly [number, () => void])[] = [
    [10, () => this.#frames()],
    [6, () => this.#turn()],
    [0.2, () => this.#flood()],
    [2, () => this.#acknowledge()],
    [1, () => this.#stopOrGoOnReading()],
    [1, () => this.#addSubflow()],
    [0.1, () => this.#loseSubflow()],
    [1, () => this.#setRole()],
    [1, () => this.#tellLine()],
    [1, () => this.#open()],
    [2, () => this.#readFrom(this.#someApp())],
    [3, () => this.#write()],
    [0.3, () => this.#victim.session.end(this.#someApp())],
    [0.2, () => this.#reset()],
  ];

  constructor(random: Random) {
    this.#random = random;
    this.side = random.pick(["local", "remote"]);
    this.#breach = random.pick([0, 0.0005, 0.01]);
    const memoryCap = random.pick([1, 4, 64]) * 2 ** 20;
    this.#victim = new Victim({ side: this.side, memoryCap, subflows: 0 });
    this.#victim.onEvent = (event) => this.#handleEvent(event);
    this.#victim.onSend = (subflow, parts) => this.#handleSent(subflow, parts);
    for (let n = random.integer(1, 4); n > 0; n--) this.#addSubflow();
  }

  get isOver(): boolean {
    return this.#victim.session.isClosed;
  }

  /** One operation, and what must hold after it. */
  step(): void {
    this.operations++;
    const from = performance.now();
    this.#pickOperation()();
    this.slowest = Math.max(this.slowest, performance.now() - from);
    assertBounds(this.#victim);
  }

  #pickOperation(): () => void {
    const weights = this.#operations.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#random.between(0, weights);
    const picked = this.#operations.find(([weight]) => (left -= weight) < 0);
    return picked?.[1] ?? (() => this.#turn());
  }

  /** Ends the session; nothing is left of it. */
  finish(): void {
    this.#victim.session.close(0, "", this.#victim.now);
    this.#victim.turn();
    assertNothingLeft(this.#victim);
  }

  // --- the peer ---

  limitOf(stream: number): number {
    return this.#victim.session.stream(stream)?.window.limit ?? 1;
  }
  frontierOf(stream: number): number {
    return this.#victim.session.stream(stream)?.reorder.frontier ?? 0;
  }
  sentOn(subflow: number): number {
    return this.#victim.sent.get(subflow) ?? 0;
  }
  nextStream(): number {
    return this.#streams++;
  }
  someStream(): number {
    // Mostly a few of the newest: something is to happen to each of them.
    const recent = this.#random.chance(0.8) ? 6 : this.#streams;
    return Math.max(0, this.#streams - this.#random.integer(1, Math.max(1, recent)));
  }

  #frames(): void {
    const subflow = this.#anySubflow();
    const count = this.#random.integer(1, 30);
    const frames = Array.from({ length: count }, () =>
      hostileFrame(this.#random, subflow, this, this.#breach),
    );
    this.#give(subflow, frames);
  }

  #flood(): void {
    const subflow = this.#anySubflow();
    this.#give(subflow, flood(this.#random, subflow, this));
  }

  #give(subflow: number, frames: readonly AnyFrame[]): void {
    this.frames += frames.length;
    let bytes = encode(frames);
    if (this.#random.chance(this.#breach)) {
      bytes = mutate(bytes, this.#random);
      this.#hasLied = true;
    }
    for (const piece of cut(bytes, this.#random)) this.#victim.give(subflow, piece);
  }

  /** The peer acknowledges all: without that its lines are dead before long. */
  #acknowledge(): void {
    for (const { id } of this.#victim.session.subflows) {
      const time = Math.round(this.#victim.now * 1_000);
      this.#give(id, [{ type: "ack", received: this.sentOn(id), delay: 0, time }]);
    }
  }

  #stopOrGoOnReading(): void {
    const subflow = this.#anySubflow();
    if (!this.#unread.delete(subflow) && this.#random.chance(0.3)) this.#unread.add(subflow);
  }

  /** What the session sends is well-formed, and its DATA are the bytes that were written. */
  #handleSent(subflow: number, parts: readonly Buffer[]): boolean {
    const decoder = this.#decoders.get(subflow) ?? new FrameDecoder();
    this.#decoders.set(subflow, decoder);
    for (const part of parts) {
      const error = decoder.decode(part, {
        handleFrame: () => undefined,
        handleData: (stream, offset, piece) => {
          assert.ok(isContent(OUTWARD + stream, offset, piece), `wrong bytes of stream ${stream} sent`);
          return undefined;
        },
      });
      assert.equal(error, undefined);
    }
    return !this.#unread.has(subflow);
  }

  // --- this side ---

  #anySubflow(): number {
    const ids = [...this.#victim.session.subflows].map(({ id }) => id);
    return ids.length > 0 ? this.#random.pick(ids) : 0;
  }

  #addSubflow(): void {
    if (this.isOver || [...this.#victim.session.subflows].length >= 6) return;
    const id = this.#subflows++;
    const path = `p${id % 3}`;
    this.#victim.session.addSubflow({ id, path, role: this.#random.pick(PATH_ROLES) }, this.#victim.now);
  }

  #loseSubflow(): void {
    const { session, now } = this.#victim;
    if (this.#random.chance(0.5)) session.handleSubflowLost(this.#anySubflow(), now);
    else session.closeSubflow(this.#anySubflow(), 9, "test", now);
  }

  #setRole(): void {
    this.#victim.session.setPathRole(`p${this.#random.integer(0, 2)}`, this.#random.pick(PATH_ROLES));
  }

  #tellLine(): void {
    const subflow = this.#anySubflow();
    const outstanding = this.#random.integer(0, this.sentOn(subflow));
    const report = {
      outstanding,
      unsent: this.#random.integer(0, outstanding),
      segment: this.#random.integer(100, 9_000),
      hasHole: this.#random.chance(0.3),
      minRtt: this.#random.between(0, 500),
      queue: this.#random.between(0, 500),
    };
    this.#victim.session.handleLine(subflow, report, this.#victim.now);
  }

  #turn(): void {
    const { session } = this.#victim;
    this.#victim.now += this.#random.chance(0.95)
      ? this.#random.between(0, 30)
      : this.#random.between(0, 4_000);
    this.#victim.turn();
    if (this.#unread.size === 0) assert.ok(session.pollTimeout() > this.#victim.now, "the driver would spin");
  }

  #open(): void {
    const id = this.#victim.session.open(REQUEST, this.#victim.now);
    if (id === undefined) return;
    this.#streams = id + 1;
    this.#app(id);
  }

  #app(stream: number): App {
    let app = this.#apps.get(stream);
    if (!app) this.#apps.set(stream, (app = { written: 0, read: 0, unconsumed: 0, isBlocked: false }));
    return app;
  }

  #handleEvent(event: SessionEvent): void {
    const { session } = this.#victim;
    switch (event.type) {
      case "open":
        this.#app(event.stream);
        if (this.#random.chance(0.9)) session.accept(event.stream, { host: "", port: 0 });
        else session.reset(event.stream, 2);
        return;
      case "readable":
        if (this.#random.chance(0.9)) this.#readFrom(event.stream);
        return;
      case "writable": {
        const app = this.#apps.get(event.stream);
        // What was reset behind its data has none any more.
        if (app) app.isBlocked = false;
        return;
      }
      case "reset":
      case "closed":
        this.#apps.delete(event.stream);
        return;
      case "close-subflow":
        this.#unread.delete(event.subflow);
        return;
      default:
    }
  }

  #someApp(): number {
    return this.#apps.size > 0 ? this.#random.pick([...this.#apps.keys()].slice(-8)) : 0;
  }

  #readFrom(stream: number): void {
    const { session, now } = this.#victim;
    const app = this.#apps.get(stream);
    if (!app) return;
    const { pieces, length } = session.read(stream);
    let at = app.read;
    for (const piece of pieces) {
      assert.ok(this.#hasLied || isContent(stream, at, piece), `wrong bytes of stream ${stream} at ${at}`);
      at += piece.length;
    }
    assert.equal(at, app.read + length);
    app.read = at;
    app.unconsumed += length;
    const taken = this.#random.chance(0.7) ? app.unconsumed : this.#random.integer(0, app.unconsumed);
    app.unconsumed -= taken;
    session.consume(stream, taken, now);
  }

  #write(): void {
    const stream = this.#someApp();
    const app = this.#apps.get(stream);
    if (!app || app.isBlocked || !this.#victim.session.stream(stream)) return;
    const most = this.#random.pick([500, 500, 5_000, 65_536, MOST_WRITTEN]);
    const length = this.#random.integer(0, most);
    app.isBlocked = !this.#victim.session.write(stream, content(OUTWARD + stream, app.written, length));
    app.written += length;
  }

  #reset(): void {
    const stream = this.#someApp();
    const { session } = this.#victim;
    if (this.#random.chance(0.5)) session.reset(stream, 1);
    else session.resetBehind(stream, 1);
    this.#apps.delete(stream);
  }
}
