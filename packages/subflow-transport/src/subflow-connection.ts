import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { setDiscardOnClose, setNotSentLowat, setWritesApart, socketFd, tcpInfo } from "@hawser/linux-sockets";
import type { LineReport, Subflow } from "@hawser/multipath-engine";
import { CongestionPolicy } from "./congestion-policy.ts";
import { LineCounter } from "./line-counter.ts";
import { KeyUse, MAX_RECORD } from "./tls/key-use.ts";

/** No more is handed to a connection while this much waits in the process. The engine's caps are the real bound. */
const MAX_WAITING = 524_288;
/**
 * Bytes that the kernel may hold unsent: the second guard against a long queue, behind the engine's caps. Where it is
 * reached, the kernel takes more only once its whole send buffer is less than two thirds full (sk_stream_is_writable of
 * net/sock.h): too little for a long fast line. So it is a share of the cap at least.
 */
const MIN_UNSENT = 131_072;
const UNSENT_SHARE = 0.5;
/** It is told the kernel when it has changed by this factor. */
const UNSENT_STEP = 1.5;
/** Other small frames fit into the record of a chunk. */
const BESIDE_CHUNK = 32;
/** How long a closed subflow may take to get its CLOSE out, milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Keeps the kernel's send buffer of a subflow's connection short; one that is gone already shows it elsewhere. */
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
  #recordBytes = MAX_RECORD;
  #mostUnsent = MIN_UNSENT;
  #error: Error | undefined;
  #closing = false;
  #closeReason: string | undefined;

  constructor(subflow: Subflow, socket: TLSSocket, events: SubflowConnectionEvents) {
    this.subflow = subflow;
    this.socket = socket;
    this.line = new LineCounter(socket.remoteFamily === "IPv6" ? "IPv6" : "IPv4");
    new CongestionPolicy(socket, subflow);
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("drain", () => events.onDrain());
    socket.on("close", () => events.onLost(this.#error));
    // A peer that ends its direction has gone: subflows have no half-close.
    socket.on("end", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      this.keyUse.handleRead();
      events.onBytes(bytes);
    });
    socket.resume();
  }

  /** Why it was closed from here, if it was. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  get takesMore(): boolean {
    return !this.#closing && this.socket.writable && this.socket.writableLength < MAX_WAITING;
  }

  /** Whether what comes is read; otherwise it waits in the kernel, and then at the peer. */
  setReading(isReading: boolean): void {
    if (isReading) this.socket.resume();
    else this.socket.pause();
  }

  /** What the system knows of the connection; undefined where it does not tell. */
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

  /**
   * Has TLS make records of about one chunk. A record is of use to the peer only when it is whole: at 0.8 Mbit/s one of
   * 16 KiB takes 170 ms, and everything in it would come, and be acknowledged, that late. TLS makes one record of one
   * write, so a thin line's writes are kept apart.
   */
  fitRecords(): void {
    this.#recordBytes = Math.min(MAX_RECORD, this.subflow.chunk + BESIDE_CHUNK);
    setWritesApart(this.socket, this.#recordBytes < MAX_RECORD);
  }

  /** Has the kernel hold what the line may need. */
  fitUnsent(): void {
    const wanted = Math.max(MIN_UNSENT, Math.round(UNSENT_SHARE * this.subflow.model.cap));
    if (wanted < this.#mostUnsent * UNSENT_STEP && wanted * UNSENT_STEP > this.#mostUnsent) return;
    this.#mostUnsent = wanted;
    try {
      setNotSentLowat(this.socket, wanted);
    } catch {
      // It has gone already.
    }
  }

  /** Writes the buffers of one turn: as one, or on a thin line in pieces that each make a record. */
  write(parts: readonly Buffer[]): void {
    if (this.#recordBytes < MAX_RECORD) return this.#writeRecords(parts);
    this.keyUse.handleWritten(parts.reduce((sum, { length }) => sum + length, 0));
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }

  /** Records end where parts do: a chunk is whole when its record is. */
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
    this.#writeRecord(record);
  }

  #writeRecord(parts: readonly Buffer[]): void {
    const record = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.keyUse.handleWritten(record.length);
    this.socket.write(record);
  }

  /** Closes now, discarding what is unsent: for a line that takes nothing more. */
  cut(reason: string): void {
    this.#closeReason = reason;
    try {
      setDiscardOnClose(this.socket);
    } catch {
      // It has gone already.
    }
    this.socket.destroy();
  }

  /** Writes the last words, then closes; a line that takes nothing more is cut after a second. */
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
