import type { Socket } from "node:net";
import { getCongestion, setCongestion, socketFd, type TcpInfo, tcpInfo } from "@hawser/linux-sockets";
import type { PathModel, Subflow } from "@hawser/multipath-engine";

/** How often the kernel's counters are looked at while the line is in use, milliseconds. */
const INTERVAL_MS = 250;
/** The kernel's window is too small when it holds data back and is below this share of the engine's cap. */
const TOO_SMALL = 0.9;
/** How many more looks must find it too small than find it large enough. */
const TOO_SMALL_LOOKS = 3;
/** BBR is started anew after this long. After 10 s it would stop the line to measure it. */
const RENEW_MS = 8_000;
/** Losses are judged over spans of this length. So many calm ones in a row end the use of BBR. */
const SPAN_MS = 10_000;
const CALM_SPANS = 3;
/** A span says something when this many times the engine's cap was sent in it. */
const LEAST_CAPS = 2;
/** A span is calm when cubic's window would be this many times the engine's cap. */
const AMPLE = 2;

const BBR = ["bbr"];
/** reno is what every kernel has and every user may choose. */
const OTHERS = ["cubic", "reno"];

/** What the policy goes by, of TCP_INFO. */
export type WindowInfo = Pick<TcpInfo, "sndMss" | "cwnd" | "notsentBytes" | "bytesSent" | "totalRetrans">;

/** What the policy goes by, of the engine. */
export interface CongestedLine {
  readonly ledger: Pick<Subflow["ledger"], "sent">;
  readonly unackedBytes: number;
  readonly model: Pick<PathModel, "measured" | "isStarting" | "cap" | "minRtt">;
}

/** The kernel's side of one connection. */
export interface KernelCongestion {
  /** Undefined when the connection is gone. */
  info(): WindowInfo | undefined;
  /** Changes to the first of these algorithms that the kernel has and the user may choose. */
  use(names: readonly string[]): void;
}

type Mode = "starting" | "clean" | "lossy";

/**
 * Which congestion control the kernel uses under a subflow. The engine's own cap bounds the bytes under way and keeps the
 * line's queue short. So the kernel's window has one duty: not to be smaller than the cap.
 *
 * ```
 * starting (BBR) ──the engine has measured the line──> clean (cubic) ──window too small──> lossy (BBR)
 *                                                         ^───────three calm spans──────────┘
 * ```
 *
 * - starting: cubic's slow start takes any queue for a full line, and then needs many seconds to fill a long one. BBR does not.
 * - clean: BBR leaves a wide window, which cubic keeps until a segment is lost.
 * - lossy: losses keep cubic's window too small (RFC 9438, section 5.1), so BBR takes over. Left alone it would stop the line
 *   every ten seconds for a fifth of a second, to measure it (draft-ietf-ccwg-bbr, ProbeRTT), and the whole session would
 *   wait. The engine measures the line itself, so BBR is started anew before that.
 */
export class CongestionPolicy {
  readonly #kernel: KernelCongestion;
  readonly #line: CongestedLine;
  #mode: Mode = "starting";
  #lookedAt: number;
  /** Bytes that were sent until the last look. */
  #sent = 0;
  #startedBbrAt: number;
  #tooSmall = 0;
  /** The span's beginning: when, and the kernel's counters then. */
  #spanAt: number;
  #spanSegments = 0;
  #spanRetrans = 0;
  #calmSpans = 0;

  constructor(kernel: KernelCongestion, line: CongestedLine, now: number) {
    this.#kernel = kernel;
    this.#line = line;
    this.#lookedAt = now;
    this.#startedBbrAt = now;
    this.#spanAt = now;
    kernel.use(BBR);
  }

  /** To be called in each of the line's turns. A line that sends nothing has none, and needs none: BBR does not stop it. */
  handleTurn(now: number): void {
    if (now - this.#lookedAt < INTERVAL_MS) return;
    this.#lookedAt = now;
    const { sent } = this.#line.ledger;
    if (sent === this.#sent && this.#line.unackedBytes === 0) return;
    this.#sent = sent;
    const info = this.#kernel.info();
    if (info && info.sndMss > 0) this.#judge(info, now);
  }

  #judge(info: WindowInfo, now: number): void {
    const { measured, isStarting } = this.#line.model;
    if (this.#mode === "clean") {
      if (this.#isTooSmall(info)) this.#beginLossy(info, now);
    } else if (this.#mode === "starting" ? measured && !isStarting : this.#isCalm(info, now))
      this.#beginClean();
    else if (now - this.#startedBbrAt >= RENEW_MS) this.#renewBbr(now);
  }

  #isTooSmall({ notsentBytes, cwnd, sndMss }: WindowInfo): boolean {
    const isNow = notsentBytes > 0 && cwnd * sndMss < this.#line.model.cap * TOO_SMALL;
    this.#tooSmall = isNow ? this.#tooSmall + 1 : Math.max(0, this.#tooSmall - 1);
    return this.#tooSmall >= TOO_SMALL_LOOKS;
  }

  /** Whether enough spans in a row were calm. A span with little traffic does not count. */
  #isCalm(info: WindowInfo, now: number): boolean {
    if (now - this.#spanAt < SPAN_MS) return false;
    const { cap, minRtt } = this.#line.model;
    const sent = info.bytesSent / info.sndMss - this.#spanSegments;
    // One loss at least: a span without any would promise a window without limit.
    const lost = Math.max(info.totalRetrans - this.#spanRetrans, 1) / sent;
    this.#beginSpan(info, now);
    const needed = cap / info.sndMss;
    if (sent < LEAST_CAPS * needed) return false;
    this.#calmSpans = cubicWindow(minRtt, lost) >= AMPLE * needed ? this.#calmSpans + 1 : 0;
    return this.#calmSpans >= CALM_SPANS;
  }

  #beginSpan({ bytesSent, sndMss, totalRetrans }: WindowInfo, now: number): void {
    this.#spanAt = now;
    this.#spanSegments = bytesSent / sndMss;
    this.#spanRetrans = totalRetrans;
  }

  #beginClean(): void {
    this.#mode = "clean";
    this.#tooSmall = 0;
    this.#kernel.use(OTHERS);
  }

  #beginLossy(info: WindowInfo, now: number): void {
    this.#mode = "lossy";
    this.#calmSpans = 0;
    this.#beginSpan(info, now);
    this.#startedBbrAt = now;
    this.#kernel.use(BBR);
  }

  /** Only a change of the algorithm makes the kernel start one anew. The window stays. */
  #renewBbr(now: number): void {
    this.#startedBbrAt = now;
    this.#kernel.use(OTHERS);
    this.#kernel.use(BBR);
  }
}

/** Segments that cubic keeps under way on average when this share of them is lost (RFC 9438, section 5.1). */
function cubicWindow(rttMs: number, lost: number): number {
  const cubic = 1.054 * (rttMs / 1_000 / lost) ** 0.75;
  const reno = 1.22 / Math.sqrt(lost);
  return Math.max(cubic, reno);
}

/** The kernel under this socket. */
export function kernelCongestion(socket: Socket): KernelCongestion {
  return {
    info: () => tcpInfo(socketFd(socket)),
    use(names) {
      for (const name of names) {
        try {
          if (getCongestion(socket) !== name) setCongestion(socket, name);
          return;
        } catch {
          // Not in this kernel, not allowed to this user, or the socket is gone. If no name serves, the algorithm stays.
        }
      }
    },
  };
}
