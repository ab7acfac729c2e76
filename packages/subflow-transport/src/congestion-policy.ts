import type { Socket } from "node:net";
import { getCongestion, setCongestion, socketFd, type TcpInfo, tcpInfo } from "@hawser/linux-sockets";
import type { PathModel, Subflow } from "@hawser/multipath-engine";

/** How often the kernel's counters are looked at, milliseconds. */
const INTERVAL_MS = 250;
/** The kernel's window counts as too small when it holds back data and is below this share of the engine's cap. */
const TOO_SMALL = 0.9;
/** At so many looks, more or less in a row. */
const TOO_SMALL_LOOKS = 3;
/** BBR is begun anew before it would stop the line to measure it, which it does after 10 s. */
const RENEW_MS = 8_000;
/** Losses are judged over this long, and this many calm spans in a row end the use of BBR. */
const SPAN_MS = 10_000;
const CALM_SPANS = 3;
/** The window that cubic would keep at the losses seen must be this many times what is needed. */
const AMPLE = 2;

type Mode = "starting" | "clean" | "lossy";

/** One timer for all lines: with one of each, hundreds that are idle would wake the process a thousand times a second. */
const policies = new Set<CongestionPolicy>();
let timer: NodeJS.Timeout | undefined;

function watch(policy: CongestionPolicy): void {
  policies.add(policy);
  timer ??= setInterval(() => {
    for (const each of policies) each.look(performance.now());
  }, INTERVAL_MS).unref();
}

function unwatch(policy: CongestionPolicy): void {
  policies.delete(policy);
  if (policies.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/**
 * Which congestion control the kernel uses under a subflow. The engine's own cap bounds what is under way and keeps the
 * line's queue short, so all that is wanted from below is a window that is not in the way.
 *
 * - A new line starts with BBR: cubic's slow start takes a queue for a full line and then needs many seconds on a long one.
 * - A clean line goes on with cubic, or reno where the system allows no more: with the window that BBR has left them they
 *   do nothing until a segment is lost.
 * - Where losses make that window too small (RFC 9438, section 5.1), BBR takes over again. Left alone it would stop every
 *   ten seconds for a fifth of a second to measure the line (draft-ietf-ccwg-bbr, ProbeRTT), and one line's stop holds up
 *   the whole session; the engine measures the line itself, so BBR is begun anew before it comes to that.
 */
export class CongestionPolicy {
  readonly #socket: Socket;
  readonly #subflow: Subflow;
  /** Bytes that were sent until the last look. */
  #sent = 0;
  #mode: Mode = "starting";
  #renewedAt = performance.now();
  #tooSmall = 0;
  #spanAt = performance.now();
  #spanSegments = 0;
  #spanRetrans = 0;
  #calmSpans = 0;

  constructor(socket: Socket, subflow: Subflow) {
    this.#socket = socket;
    this.#subflow = subflow;
    this.#enter("starting");
    watch(this);
    socket.once("close", () => unwatch(this));
  }

  get #model(): PathModel {
    return this.#subflow.model;
  }

  /** On a line on which nothing was sent nothing has changed, and BBR does not stop it. */
  look(now: number): void {
    const { sent } = this.#subflow.ledger;
    if (sent === this.#sent && this.#subflow.unackedBytes === 0) return;
    this.#sent = sent;
    const info = tcpInfo(socketFd(this.#socket));
    if (!info || info.sndMss === 0) return;
    if (this.#mode === "clean") {
      if (this.#isTooSmall(info)) this.#enter("lossy");
      return;
    }
    if (this.#mode === "starting" && this.#model.measured && !this.#model.isStarting) this.#enter("clean");
    else if (this.#mode === "lossy" && this.#hasCalmedDown(info, now)) this.#enter("clean");
    else if (now - this.#renewedAt >= RENEW_MS) this.#renew(now);
  }

  #isTooSmall({ notsentBytes, cwnd, sndMss }: TcpInfo): boolean {
    const isNow = notsentBytes > 0 && cwnd * sndMss < this.#model.cap * TOO_SMALL;
    this.#tooSmall = isNow ? this.#tooSmall + 1 : Math.max(0, this.#tooSmall - 1);
    return this.#tooSmall >= TOO_SMALL_LOOKS;
  }

  /** Whether cubic would have had an ample window, span after span. A span with little traffic says nothing. */
  #hasCalmedDown({ bytesSent, sndMss, totalRetrans }: TcpInfo, now: number): boolean {
    if (now - this.#spanAt < SPAN_MS) return false;
    const segments = bytesSent / sndMss;
    const sent = segments - this.#spanSegments;
    const lost = Math.max(totalRetrans - this.#spanRetrans, 1) / sent;
    this.#spanAt = now;
    this.#spanSegments = segments;
    this.#spanRetrans = totalRetrans;
    const needed = this.#model.cap / sndMss;
    if (sent < 2 * needed) return false;
    this.#calmSpans = cubicWindow(this.#model.minRtt, lost) >= AMPLE * needed ? this.#calmSpans + 1 : 0;
    return this.#calmSpans >= CALM_SPANS;
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    this.#tooSmall = 0;
    this.#calmSpans = 0;
    this.#renewedAt = performance.now();
    this.#choose(mode === "clean" ? ["cubic", "reno"] : ["bbr"]);
  }

  /** Only a change of algorithm makes the kernel start one anew; its window stays. */
  #renew(now: number): void {
    this.#renewedAt = now;
    this.#choose(["cubic", "reno"]);
    this.#choose(["bbr"]);
  }

  #choose(names: readonly string[]): void {
    for (const name of names) {
      try {
        if (getCongestion(this.#socket) !== name) setCongestion(this.#socket, name);
        return;
      } catch {
        // Not in this kernel, not allowed to this user, or the socket has gone: the next one, or what there is.
      }
    }
  }
}

/** Segments that cubic keeps under way on average when this share of them is lost (RFC 9438, section 5.1). */
function cubicWindow(rttMs: number, lost: number): number {
  const cubic = 1.054 * (rttMs / 1_000 / lost) ** 0.75;
  const reno = 1.22 / Math.sqrt(lost);
  return Math.max(cubic, reno);
}
