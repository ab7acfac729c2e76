/** What the client can be asked to do, and what it reports. */
import type { Target } from "./dial.ts";
import type { MeterReport } from "./meter.ts";

interface Common extends Target {
  /** How many connections share the work (default 1); bytes and timeline are of all together. */
  connections?: number;
  /** How much of the beginning the goodput leaves out, ms (default 0). */
  skipMs?: number;
  /** Report the bytes so far on the way, every so many ms. */
  progressMs?: number;
}

export interface DownloadTask extends Common {
  op: "download";
  /** So many bytes per connection, or for so long. */
  bytes?: number;
  seconds?: number;
  seed?: number;
  /** Compare every byte with what it should be (default true). */
  check?: boolean;
}

export interface UploadTask extends Common {
  op: "upload";
  /** So many bytes per connection, verified by SHA-256, or for so long; measured where they arrive. */
  bytes?: number;
  seconds?: number;
  seed?: number;
}

export interface FirstByteTask extends Target {
  op: "firstByte";
  /** How many connections, one after the other. */
  count?: number;
  /** Wait between two. */
  pauseMs?: number;
  /** Give one up after this long. */
  timeoutMs?: number;
}

export interface ConnectRateTask extends Target {
  op: "connectRate";
  seconds: number;
  /** How many are under way at any time. */
  concurrency?: number;
}

export type Task = DownloadTask | UploadTask | FirstByteTask | ConnectRateTask;

export interface TransferResult extends MeterReport {
  /** Whether all bytes came and were right; of transfers ended by the clock, those that came. */
  complete: boolean;
  /** What went wrong, of the first connection that failed. */
  error: string | null;
}

export interface FirstByteResult {
  /** From before connect() to the first byte of the answer, of those that got one, in order of time. */
  ms: number[];
  p50: number;
  p99: number;
  failed: number;
}

export interface ConnectRateResult {
  done: number;
  failed: number;
  perSecond: number;
}

export interface Results {
  download: TransferResult;
  upload: TransferResult;
  firstByte: FirstByteResult;
  connectRate: ConnectRateResult;
}

/** One line of the client's output. */
export type Output = { progress: { ms: number; bytes: number } } | { result: unknown };
