import { CONTROL_FD, type Control } from "./control.ts";
import { Fate, type LineDirection } from "./line-model.ts";
import { type PacketPool, SLOT_BYTES } from "./packet-pool.ts";
import { addressOf, Const, ppoll, read, write } from "./syscalls.ts";

/** One direction between two devices. */
export interface Link {
  /** The descriptor of the device that packets come from. */
  readonly input: number;
  /** The descriptor of the device that packets go to. */
  readonly output: number;
  readonly line: LineDirection;
}

/**
 * The time between two wake-ups in a stream of packets, ms. On a virtual machine, falling asleep and waking up costs 20
 * us and more, several times what a packet costs. So one wake-up serves all packets of this time; a packet after a
 * pause is handled at once. Times are taken from the middle, so the error is half of this either way.
 */
const PACE_MS = 0.4;

/** The most packets read from one device before the others and the due deliveries get their turn. */
const READ_BATCH = 64;

/** Carries packets until the control channel closes or a device is gone (its namespace was removed). */
export function runLoop(links: readonly Link[], pool: PacketPool, control: Control): void {
  const waiter = new Waiter([CONTROL_FD, ...links.map((link) => link.input)]);
  let lastWake = 0;
  let streaming = false;
  for (;;) {
    if (streaming) waiter.sleep(lastWake + PACE_MS - performance.now());
    if (!waiter.wait(streaming ? 0 : earliest(links) - performance.now())) return;
    const now = performance.now();
    // Packets that are found after a sleep came at some time during the sleep.
    const came = streaming ? Math.max(lastWake, now - PACE_MS / 2) : now;
    let handled = deliverDue(links, pool, control, streaming ? now + PACE_MS / 2 : now);
    for (let index = 0; index < links.length; index++) {
      if (waiter.isReadable(index + 1)) handled += takeIn(links[index] as Link, pool, came);
    }
    if (waiter.isReadable(0) && !control.handleReadable(now)) return;
    streaming = handled > 0 && now - lastWake < 1.5 * PACE_MS;
    lastWake = now;
    control.loop.wakeups++;
  }
}

function earliest(links: readonly Link[]): number {
  let earliest = Infinity;
  for (let index = 0; index < links.length; index++) {
    const arrival = (links[index] as Link).line.nextArrival();
    if (arrival < earliest) earliest = arrival;
  }
  return earliest;
}

/** Delivers the packets that are due until `until`; returns how many. */
function deliverDue(links: readonly Link[], pool: PacketPool, control: Control, until: number): number {
  let count = 0;
  for (let index = 0; index < links.length; index++) {
    const { line, output } = links[index] as Link;
    for (let due = line.nextArrival(); due <= until; due = line.nextArrival()) {
      if (until - due > control.loop.latestMs) control.loop.latestMs = until - due;
      const length = line.nextLength();
      const slot = line.take();
      // A device that is down refuses the packet. The packet is lost, as on a line whose far end is unplugged.
      if (!line.settings.blackhole) write(output, pool.addressOf(slot), length);
      pool.release(slot);
      count++;
    }
  }
  return count;
}

/** Takes in the packets that wait at a device; returns how many. */
function takeIn(link: Link, pool: PacketPool, now: number): number {
  const { line, input } = link;
  for (let count = 0; count < READ_BATCH; count++) {
    const slot = pool.acquire();
    if (slot < 0) return count;
    const length = read(input, pool.addressOf(slot), SLOT_BYTES);
    if (length <= 0 || line.offer(now, slot, length) === Fate.dropped) pool.release(slot);
    if (length <= 0) return count;
  }
  return READ_BATCH;
}

/** ppoll(2) over a fixed set of descriptors, with its arguments in place for good. */
class Waiter {
  // struct pollfd { int fd; short events; short revents; }
  readonly #fds: Int32Array;
  readonly #fdsAddress: number;
  readonly #count: number;
  // struct timespec, both halves 64 bits; the upper words stay zero.
  readonly #timeout = new Int32Array(4);
  readonly #timeoutAddress = addressOf(this.#timeout);

  constructor(fds: readonly number[]) {
    this.#count = fds.length;
    this.#fds = new Int32Array(2 * fds.length);
    for (const [index, fd] of fds.entries()) {
      this.#fds[2 * index] = fd;
      this.#fds[2 * index + 1] = Const.POLLIN;
    }
    this.#fdsAddress = addressOf(this.#fds);
  }

  /** Sleeps for `ms`, whatever packets come. */
  sleep(ms: number): void {
    if (ms <= 0) return;
    this.#setTimeout(ms);
    ppoll(0, 0, this.#timeoutAddress, 0);
  }

  /** Waits for input, at most `ms` (Infinity: for ever). False when a descriptor is dead. */
  wait(ms: number): boolean {
    for (let index = 0; index < this.#count; index++) this.#fds[2 * index + 1] = Const.POLLIN;
    if (ms !== Infinity) this.#setTimeout(Math.max(0, ms));
    ppoll(this.#fdsAddress, this.#count, ms === Infinity ? 0 : this.#timeoutAddress, 0);
    for (let index = 1; index < this.#count; index++) {
      if ((this.#revents(index) & Const.POLLFAIL) !== 0) return false;
    }
    return true;
  }

  isReadable(index: number): boolean {
    // For the control channel, the closing of the other end counts as input, too.
    return (this.#revents(index) & (Const.POLLIN | Const.POLLFAIL)) !== 0;
  }

  #revents(index: number): number {
    return (this.#fds[2 * index + 1] as number) >>> 16;
  }

  #setTimeout(ms: number): void {
    const seconds = Math.floor(ms / 1000);
    this.#timeout[0] = seconds;
    this.#timeout[2] = Math.floor((ms - seconds * 1000) * 1e6);
  }
}
