import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { setDiscardOnClose, setNotSentLowat, setWritesApart, socketFd, tcpInfo } from "@hawser/linux-sockets";
import type { LineReport, Subflow } from "@hawser/multipath-engine";
import { canonicalIp } from "@hawser/shared-protocol";
import { CongestionPolicy, kernelCongestion } from "./congestion-policy.ts";
import { LineCounter } from "./line-counter.ts";
import { KeyUse, MAX_RECORD } from "./tls/key-use.ts";

/** How many bytes may wait in the process for one connection. Usually the engine's caps stop it before. */
const MAX_WAITING = 524_288;
/**
 * How many bytes the kernel may hold unsent, at least: the second guard against a long queue, behind the engine's caps.
 * Once that many wait, the kernel takes more only when two thirds of its whole send buffer are free again
 * (sk_stream_is_writable of net/sock.h). For a long fast line that comes too late, so the bound grows with the cap.
 */
const MIN_UNSENT = 131_072;
const UNSENT_SHARE = 0.5;
/** The kernel is told when the bound has changed by this factor. */
const UNSENT_STEP = 1.5;
/** Room in a chunk's record for other small frames, bytes. */
const BESIDE_CHUNK = 32;
/** How long a subflow that is closed may take to send its CLOSE, milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Keeps the kernel's send buffer of a subflow's connection short. A connection that is gone is destroyed. */
export function limitUnsent(raw: Socket): void {
  try {
    setNotSentLowat(raw, MIN_UNSENT);
  } catch {
    raw.destroy();
  }
}

export interface SubflowConnectionEvents {
  onBytes(bytes: Buffer): void;
  /** More may be written. */
  onDrain(): void;
  /** The connection is gone. Called once. */
  onLost(error: Error | undefined): void;
}

/** One subflow's TLS connection: gathered writes out, bytes in. */
export class SubflowConnection {
  readonly subflow: Subflow;
  readonly socket: TLSSocket;
  readonly line: LineCounter;
  readonly keyUse = new KeyUse();
  readonly #congestion: CongestionPolicy;
  #recordBytes = MAX_RECORD;
  #mostUnsent = MIN_UNSENT;
  #error: Error | undefined;
  #closing = false;
  #closeReason: string | undefined;

  constructor(subflow: Subflow, socket: TLSSocket, events: SubflowConnectionEvents) {
    this.subflow = subflow;
    this.socket = socket;
    this.line = new LineCounter(familyOf(socket));
    this.#congestion = new CongestionPolicy(kernelCongestion(socket), subflow, performance.now());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("drain", () => events.onDrain());
    socket.on("close", () => events.onLost(this.#error));
    // Subflows have no half-close: when the peer ends its direction, the connection is over.
    socket.on("end", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      this.keyUse.handleRead();
      events.onBytes(bytes);
    });
    socket.resume();
  }

  /** Why this side closed it, if it did. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  get takesMore(): boolean {
    return !this.#closing && this.socket.writable && this.socket.writableLength < MAX_WAITING;
  }

  /** Whether arriving bytes are read. If not, they wait in the kernel, and then at the peer. */
  setReading(isReading: boolean): void {
    if (isReading) this.socket.resume();
    else this.socket.pause();
  }

  /** What the kernel knows of the connection. Undefined when it tells nothing. */
  look(): LineReport | undefined {
    const info = tcpInfo(socketFd(this.socket));
    if (!info) return undefined;
    this.line.handleInfo(info);
    if (info.bytesSent === 0 || info.sndMss === 0) return undefined;
    const { bytesSent, bytesRetrans, bytesAcked, notsentBytes, sacked, lost, sndMss, rtt, minRtt } = info;
    const onLine = Math.max(0, bytesSent - bytesRetrans - bytesAcked - sacked * sndMss);
    const unsent = this.socket.writableLength + notsentBytes;
    return {
      outstanding: unsent + onLine,
      unsent,
      segment: sndMss,
      hasHole: sacked > 0 || lost > 0,
      minRtt: (minRtt || rtt) / 1_000,
      queue: Math.max(0, rtt - minRtt) / 1_000,
    };
  }

  /** The line's turn to send: records, the kernel's buffer and its congestion control are fitted to the line as it is now. */
  handleTurn(now: number): void {
    this.#fitRecords();
    this.#fitUnsent();
    this.#congestion.handleTurn(now);
  }

  /**
   * Has TLS make records of about one chunk. The peer can use a record only when all of it is there. At 0.8 Mbit/s one of
   * 16 KiB takes 170 ms, and its first bytes would arrive, and be acknowledged, that late. TLS makes one record of one
   * write, so a thin line's writes are kept apart.
   */
  #fitRecords(): void {
    this.#recordBytes = Math.min(MAX_RECORD, this.subflow.chunk + BESIDE_CHUNK);
    setWritesApart(this.socket, this.#recordBytes < MAX_RECORD);
  }

  /** Has the kernel hold as much as the line may need. */
  #fitUnsent(): void {
    const wanted = Math.max(MIN_UNSENT, Math.round(UNSENT_SHARE * this.subflow.model.cap));
    if (wanted < this.#mostUnsent * UNSENT_STEP && wanted * UNSENT_STEP > this.#mostUnsent) return;
    this.#mostUnsent = wanted;
    try {
      setNotSentLowat(this.socket, wanted);
    } catch {
      // The connection is gone.
    }
  }

  /** Writes the buffers of one turn: all at once, or on a thin line in pieces that each make a record. */
  write(parts: readonly Buffer[]): void {
    if (this.#recordBytes < MAX_RECORD) return this.#writeRecords(parts);
    this.keyUse.handleWritten(parts.reduce((sum, { length }) => sum + length, 0));
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }

  /** Records end where parts end, so that a chunk is whole when its record is. */
  #writeRecords(parts: readonly Buffer[]): void {
    let record: Buffer[] = [];
    let length = 0;
    for (const part of parts) {
      if (length > 0 && length + part.length > this.#recordBytes) {
        this.#writeRecord(record);
        record = [];
        length = 0;
      }
      record.push(part);
      length += part.length;
    }
    if (length > 0) this.#writeRecord(record);
  }

  #writeRecord(parts: readonly Buffer[]): void {
    const record = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.keyUse.handleWritten(record.length);
    this.socket.write(record);
  }

  /** Closes now and discards what is unsent: for a line that takes nothing more. */
  cut(reason: string): void {
    this.#closeReason = reason;
    try {
      setDiscardOnClose(this.socket);
    } catch {
      // The connection is gone.
    }
    this.socket.destroy();
  }

  /** Writes the last frames, then closes. A line that takes nothing more is cut after a second. */
  close(lastWords: readonly Buffer[] | undefined, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#closeReason = reason;
    if (!this.socket.writable) {
      this.socket.destroy();
      return;
    }
    if (lastWords) this.write(lastWords);
    this.socket.end();
    const timer = setTimeout(() => this.cut(reason), CLOSE_TIMEOUT_MS);
    this.socket.once("close", () => clearTimeout(timer));
  }
}

/** The family of the packets on the line. A v4-mapped address is one of IPv4, on a socket of IPv6. */
function familyOf({ remoteAddress = "" }: Socket): "IPv4" | "IPv6" {
  return canonicalIp(remoteAddress).includes(":") ? "IPv6" : "IPv4";
}
