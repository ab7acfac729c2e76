/** The tasks of the client, and its reports. */
import type { Target } from "./dial.ts";
import type { MeterReport } from "./meter.ts";

interface Common extends Target {
  /** How many connections share the work (default 1). Bytes and timeline are sums over all of them. */
  connections?: number;
  /** How much of the beginning the goodput leaves out, ms (default 0). */
  skipMs?: number;
  /** How often the bytes so far are reported, ms. */
  progressMs?: number;
}

export interface DownloadTask extends Common {
  op: "download";
  /** How many bytes each connection downloads; or, with `seconds`, for how long. */
  bytes?: number;
  seconds?: number;
  seed?: number;
  /** Compare every byte with what it should be (default true). */
  check?: boolean;
}

export interface UploadTask extends Common {
  op: "upload";
  /**
   * How many bytes each connection uploads, verified by SHA-256; or for how long. They are measured where they arrive.
   */
  bytes?: number;
  seconds?: number;
  seed?: number;
}

export interface FirstByteTask extends Target {
  op: "firstByte";
  /** How many connections, one after the other. */
  count?: number;
  /** The pause between two connections. */
  pauseMs?: number;
  /** A connection is given up after this time. */
  timeoutMs?: number;
}

export interface ConnectRateTask extends Target {
  op: "connectRate";
  seconds: number;
  /** How many connections are under way at any time. */
  concurrency?: number;
}

export type Task = DownloadTask | UploadTask | FirstByteTask | ConnectRateTask;

export interface TransferResult extends MeterReport {
  /** Whether all bytes came and were right. Of a transfer that the clock ended, whether those that came were right. */
  complete: boolean;
  /** The error of the first connection that failed. */
  error: string | null;
}

export interface FirstByteResult {
  /** The time from before connect() to the first byte of each answer, in the order of the answers. */
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
