import type { Socket } from "node:net";
import { getCongestion, setCongestion, socketFd } from "../sys/socket-options.ts";
import { tcpInfo } from "../sys/tcp-info.ts";

/** How often the kernel's counters are looked at, milliseconds. */
const INTERVAL_MS = 1_000;
/** Fewer segments than this say nothing of a line's losses. */
const MIN_SEGMENTS = 200;
/** Share of segments sent again above which a line counts as lossy, and below which, for CALM_TICKS, as clean. */
const LOSSY = 0.003;
const CLEAN = 0.000_5;
const CALM_TICKS = 30;

/**
 * Which congestion control the kernel uses under a subflow. The engine's own cap keeps the line's queue short, so on a
 * clean line the best is one that stays out of the way: cubic, or reno where the system allows no more. BBR does not:
 * every ten seconds it stops for a fifth of a second to measure (draft-ietf-ccwg-bbr, ProbeRTT), and one line's stop
 * holds up the whole session. Where segments get lost, the others take each loss for congestion, and BBR is the best.
 */
export class CongestionPolicy {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #lossy = false;
  #cleanTicks = 0;
  #retransmitted = 0;
  #ackedBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#choose();
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
    this.#timer.unref();
    socket.once("close", () => clearInterval(this.#timer));
  }

  #choose(): void {
    for (const name of this.#lossy ? ["bbr"] : ["cubic", "reno"]) {
      try {
        if (getCongestion(this.#socket) !== name) setCongestion(this.#socket, name);
        return;
      } catch {
        // Not in this kernel, not allowed to this user, or the socket has gone: the next one, or what there is.
      }
    }
  }

  #look(): void {
    const info = tcpInfo(socketFd(this.#socket));
    if (!info || info.sndMss === 0) return;
    const segments = (info.bytesAcked - this.#ackedBytes) / info.sndMss;
    if (segments < MIN_SEGMENTS) return;
    const lost = (info.totalRetrans - this.#retransmitted) / segments;
    this.#ackedBytes = info.bytesAcked;
    this.#retransmitted = info.totalRetrans;
    this.#cleanTicks = lost < CLEAN ? this.#cleanTicks + 1 : 0;
    const lossy = lost > LOSSY || (this.#lossy && this.#cleanTicks < CALM_TICKS);
    if (lossy === this.#lossy) return;
    this.#lossy = lossy;
    this.#choose();
  }
}
