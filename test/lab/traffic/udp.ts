/**
 * Datagrams, to look at a line without TCP in between. JSON on stdout.
 *
 *   node udp.ts receive PORT HOST...             answers probes; counts the others; "report" on stdin prints and
 *                                                clears the count. An answer comes from the address that was asked,
 *                                                which a wildcard address would not see to
 *   node udp.ts probe HOST PORT COUNT MS         COUNT probes, one every MS: the delay of each, both ways
 *   node udp.ts ask HOST PORT                    one probe from a connected socket, as a browser's: what becomes of it
 *   node udp.ts blast HOST PORT RATE SECONDS [BYTES]
 *                                                datagrams of BYTES (with headers) at RATE bit/s
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export interface ReceiverReport {
  packets: number;
  /** The time from the first to the last datagram, ms. */
  spanMs: number;
}

export interface ProbeReport {
  /** One way, ms, of the probes that were answered. */
  upMs: number[];
  downMs: number[];
  lost: number;
}

export interface Fate {
  /** `answered`, `silence`, or an error's code such as ECONNREFUSED. */
  fate: "answered" | "silence" | (string & {});
  ms: number;
}

const PROBE = 1;
const BLAST = 2;
/** How long to wait for the last answers, milliseconds. */
const LINGER_MS = 300;
/** After this time a probe counts as unanswered, milliseconds. */
const SILENCE_MS = 2_000;

/** The machine's monotonic clock, the same in all its processes. */
function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function receive(port: number, hosts: readonly string[]): Promise<void> {
  let packets = 0;
  let first = 0;
  let last = 0;
  const onMessage = (socket: Socket, data: Buffer, from: RemoteInfo): void => {
    const now = clockMs();
    if (data[0] === PROBE) {
      data.writeDoubleLE(now, 16);
      socket.send(data, from.port, from.address);
      return;
    }
    if (packets++ === 0) first = now;
    last = now;
  };
  for (const host of hosts) {
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", recvBufferSize: 4 << 20 });
    socket.on("message", (data, from) => onMessage(socket, data, from));
    socket.bind(port, host);
    await once(socket, "listening");
  }
  console.log(JSON.stringify({ ready: true }));
  for await (const _ of createInterface(process.stdin)) {
    console.log(JSON.stringify({ packets, spanMs: last - first } satisfies ReceiverReport));
    packets = 0;
  }
}

function open(host: string): Socket {
  return createSocket({ type: isIPv6(host) ? "udp6" : "udp4", sendBufferSize: 4 << 20 });
}

// A probe holds its kind, the time at which it was sent (at 8) and the time at which it was received (at 16), as
// doubles.
async function probe(host: string, port: number, count: number, everyMs: number): Promise<ProbeReport> {
  const socket = open(host);
  const report: ProbeReport = { upMs: [], downMs: [], lost: 0 };
  socket.on("message", (data: Buffer) => {
    const now = clockMs();
    report.upMs.push(data.readDoubleLE(16) - data.readDoubleLE(8));
    report.downMs.push(now - data.readDoubleLE(16));
  });
  for (let index = 0; index < count; index++) {
    const data = Buffer.alloc(32, PROBE);
    data.writeDoubleLE(clockMs(), 8);
    socket.send(data, port, host);
    await sleep(everyMs);
  }
  await sleep(LINGER_MS);
  socket.close();
  report.lost = count - report.upMs.length;
  return report;
}

async function ask(host: string, port: number): Promise<Fate> {
  const socket = open(host);
  socket.connect(port, host);
  await once(socket, "connect");
  const sent = clockMs();
  socket.send(Buffer.alloc(32, PROBE));
  const fate = await new Promise<string>((resolve) => {
    socket.once("message", () => resolve("answered"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    setTimeout(resolve, SILENCE_MS, "silence");
  });
  socket.close();
  return { fate, ms: clockMs() - sent };
}

async function blast(
  host: string,
  port: number,
  rate: number,
  seconds: number,
  bytes: number,
): Promise<{ sent: number }> {
  const socket = open(host);
  const data = Buffer.alloc(bytes - (isIPv6(host) ? 48 : 28), BLAST);
  const packetsPerMs = rate / 8000 / bytes;
  const started = clockMs();
  let sent = 0;
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = clockMs() - started) {
    for (; sent < elapsed * packetsPerMs; sent++) socket.send(data, port, host);
    await sleep(1);
  }
  await sleep(LINGER_MS);
  socket.close();
  return { sent };
}

if (import.meta.main) {
  const [mode, ...args] = process.argv.slice(2);
  const [host = "", ...numbers] = args;
  const [port = 0, second = 0, third = 0, fourth = 1500] = numbers.map(Number);
  if (mode === "receive") await receive(Number(host), numbers);
  else if (mode === "probe") console.log(JSON.stringify(await probe(host, port, second, third)));
  else if (mode === "ask") {
    console.log(JSON.stringify(await ask(host, port)));
    process.exit();
  } else if (mode === "blast") console.log(JSON.stringify(await blast(host, port, second, third, fourth)));
  else throw new Error(`no mode ${mode}`);
}
