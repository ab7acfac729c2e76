import type { Socket } from "node:net";
import { dial, type Receiver } from "./dial.ts";
import { Meter, type MeterReport } from "./meter.ts";
import { Pattern } from "./pattern.ts";
import type { DownloadTask, TransferResult, UploadTask } from "./tasks.ts";

const READ_BYTES = 1 << 20;
/** More bytes than any test takes: the server sends until the client leaves. */
const ENDLESS = 1e15;
/** How long a server's report may take to come after its window, behind bytes that are still queued on the way. */
const REPORT_GRACE_MS = 10_000;

export async function download(task: DownloadTask, meter: Meter): Promise<TransferResult> {
  const windowMs = task.seconds === undefined ? undefined : task.seconds * 1000;
  const over = new AbortController();
  const timer = windowMs === undefined ? undefined : setTimeout(() => over.abort(), windowMs);
  const connections = Array.from({ length: task.connections ?? 1 }, () => fetchOne(task, meter, over.signal));
  const outcomes = await Promise.allSettled(connections);
  clearTimeout(timer);
  const error = firstError(outcomes);
  return { ...meter.report(over.signal.aborted ? windowMs : undefined), complete: error === null, error };
}

/** Receives one connection's bytes. @throws Error when one is wrong, or the stream ended early. */
async function fetchOne(task: DownloadTask, meter: Meter, over: AbortSignal): Promise<void> {
  const { bytes = ENDLESS, seed = 1, check = true } = task;
  const pattern = new Pattern(seed);
  let received = 0;
  let wrongAt = -1;
  const onData = (count: number, buffer: Uint8Array): void => {
    if (over.aborted) return;
    meter.count(count);
    if (check && wrongAt < 0) {
      const at = pattern.mismatch(received, buffer.subarray(0, count));
      if (at >= 0) wrongAt = received + at;
    }
    received += count;
  };
  const receiver = { buffer: Buffer.allocUnsafe(READ_BYTES), onData };
  const socket = await dial(task, `GET ${bytes} ${seed}\n`, receiver, over);
  await ended(socket, () => over.aborted);
  if (wrongAt >= 0) throw new Error(`byte ${wrongAt} is not what was sent`);
  if (!over.aborted && received !== bytes) throw new Error(`${received} of ${bytes} bytes came`);
}

/** Resolves when the other side has finished sending. */
async function ended(socket: Socket, expected: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("end", () => {
    socket.end();
    resolve();
  });
  socket.once("error", (error) => (expected() ? resolve() : reject(error)));
  socket.once("close", () => (expected() ? resolve() : reject(new Error("closed without an end"))));
  await promise;
}

export async function upload(task: UploadTask, meter: Meter): Promise<TransferResult> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: task.connections ?? 1 }, () => sendOne(task, meter)),
  );
  const error = firstError(outcomes);
  const reports = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  return { ...merge(reports, meter), complete: error === null, error };
}

/** Sends one connection's bytes, and returns the server's report. @throws Error when the server received other bytes */
async function sendOne(task: UploadTask, meter: Meter): Promise<MeterReport> {
  const { bytes = ENDLESS, seconds, seed = 1, skipMs = 0 } = task;
  const windowMs = seconds === undefined ? 0 : seconds * 1000;
  const answer: Buffer[] = [];
  const receiver: Receiver = {
    buffer: Buffer.allocUnsafe(65536),
    onData: (count, buffer) => answer.push(Buffer.from(buffer.subarray(0, count))),
  };
  const over = new AbortController();
  const timer = windowMs === 0 ? undefined : setTimeout(() => over.abort(), windowMs + REPORT_GRACE_MS);
  try {
    const hashed = windowMs === 0 ? 1 : 0;
    const socket = await dial(task, `SINK ${skipMs} ${windowMs} ${hashed}\n`, receiver, over.signal);
    pump(socket, new Pattern(seed), bytes, meter);
    await ended(socket, () => false);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
  const { sha256, ...report } = JSON.parse(Buffer.concat(answer).toString()) as MeterReport & {
    sha256?: string;
  };
  if (sha256 !== undefined && (report.bytes !== bytes || sha256 !== new Pattern(seed).sha256(bytes))) {
    throw new Error(
      `the server received ${report.bytes} bytes with SHA-256 ${sha256}, which is not what was sent`,
    );
  }
  return report;
}

function pump(socket: Socket, pattern: Pattern, bytes: number, meter: Meter): void {
  let sent = 0;
  const next = (): void => {
    while (sent < bytes && socket.writable) {
      const piece = pattern.piece(sent, Math.min(bytes - sent, 65536));
      sent += piece.length;
      const more = socket.write(piece, (error) => {
        if (error === null || error === undefined) meter.count(piece.length);
      });
      if (sent >= bytes) socket.end();
      else if (!more) return;
    }
  };
  socket.on("drain", next);
  next();
}

/** Merges the reports of several connections into one. It is the sender's own report when no server has answered. */
function merge(reports: readonly MeterReport[], meter: Meter): MeterReport {
  const [first] = reports;
  if (first === undefined) return meter.report();
  const timeline: number[] = [];
  for (const report of reports) {
    for (const [step, bytes] of report.timeline.entries()) timeline[step] = (timeline[step] ?? 0) + bytes;
  }
  return {
    ...first,
    bytes: reports.reduce((sum, report) => sum + report.bytes, 0),
    goodputBps: reports.reduce((sum, report) => sum + report.goodputBps, 0),
    timeline,
  };
}

function firstError(outcomes: readonly PromiseSettledResult<unknown>[]): string | null {
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return null;
  return failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
}
