import { type Libc, libc, Sys } from "./libc.ts";

/**
 * What the kernel knows of a TCP connection (TCP_INFO of tcp(7), `struct tcp_info` of linux/tcp.h).
 * Times are in microseconds.
 */
export interface TcpInfo {
  /** Smoothed round-trip time. */
  readonly rtt: number;
  /** The least round-trip time of the last minutes (net.ipv4.tcp_min_rtt_wlen); 0 when there was none yet. */
  readonly minRtt: number;
  /** Bytes in a full segment. */
  readonly sndMss: number;
  /** Congestion window, in segments. */
  readonly cwnd: number;
  /** Segments sent and not acknowledged. */
  readonly unacked: number;
  /** Of these, those that came out of order, and those held lost. */
  readonly sacked: number;
  readonly lost: number;
  /** Segments sent again since the connection began. */
  readonly totalRetrans: number;
  /** Bytes in the send buffer that were never sent. */
  readonly notsentBytes: number;
  /** Bytes acknowledged, and bytes received in order, since the connection began. */
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  /** Bytes sent since the connection began, and those of them that were sent again; 0 before Linux 4.19. */
  readonly bytesSent: number;
  readonly bytesRetrans: number;
  /** Packets sent and received since the connection began, in 32 bits; and whether they carry timestamps (RFC 7323). */
  readonly segsOut: number;
  readonly segsIn: number;
  readonly hasTimestamps: boolean;
}

/** `struct tcp_info` grows at its end with every few kernels; fields beyond what the kernel filled read 0. */
const TCP_INFO_BYTES = 256;
/** `tcpi_total_retrans` ends here; a kernel that fills less is older than any that Node runs on. */
const LEAST_BYTES = 104;
/** `tcpi_bytes_retrans` ends here; kernels fill it since 4.19. */
const BYTES_WITH_SENT = 216;
/** Of `tcpi_options`. */
const TCPI_OPT_TIMESTAMPS = 1;
/** Where the fields of `struct tcp_info` begin. */
const At = {
  state: 0,
  options: 5,
  sndMss: 16,
  unacked: 24,
  sacked: 28,
  lost: 32,
  rtt: 68,
  cwnd: 80,
  totalRetrans: 100,
  bytesAcked: 120,
  bytesReceived: 128,
  segsOut: 136,
  segsIn: 140,
  notsentBytes: 144,
  minRtt: 148,
  bytesSent: 200,
  bytesRetrans: 208,
} as const;
/** Of a least round-trip time that nobody has measured. */
const UNKNOWN = 0xffff_ffff;
/** Of a socket that is not connected: its state, and the segment that the kernel assumes (TCP_MSS_DEFAULT of net/tcp.h). */
const TCP_CLOSE = 7;
const DEFAULT_MSS = 536;

// Reused: this is asked for every subflow many times a second.
const value = Buffer.alloc(TCP_INFO_BYTES);
const view = new DataView(value.buffer, value.byteOffset, value.length);
const length = new Uint32Array(1);
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The state of the TCP connection behind descriptor `fd` (see `socketFd`), or undefined when it is gone or no TCP
 * connection.
 * @throws SystemError only when the C library cannot be reached at all.
 */
export function tcpInfo(fd: number | undefined): TcpInfo | undefined {
  if (fd === undefined || fd < 0 || ask(libc(), fd) < LEAST_BYTES) return undefined;
  const minRtt = u32(At.minRtt);
  return {
    sndMss: u32(At.sndMss),
    unacked: u32(At.unacked),
    sacked: u32(At.sacked),
    lost: u32(At.lost),
    rtt: u32(At.rtt),
    cwnd: u32(At.cwnd),
    totalRetrans: u32(At.totalRetrans),
    bytesAcked: u64(At.bytesAcked),
    bytesReceived: u64(At.bytesReceived),
    notsentBytes: u32(At.notsentBytes),
    minRtt: minRtt === UNKNOWN ? 0 : minRtt,
    bytesSent: u64(At.bytesSent),
    bytesRetrans: u64(At.bytesRetrans),
    segsOut: u32(At.segsOut),
    segsIn: u32(At.segsIn),
    hasTimestamps: (view.getUint8(At.options) & TCPI_OPT_TIMESTAMPS) !== 0,
  };
}

/**
 * What is wrong with this kernel's TCP_INFO, in words; undefined when nothing is. `fd` is a TCP socket that was never
 * connected: of such a one the values at the struct's beginning, middle and end are known.
 */
export function tcpInfoTrouble(fd: number, c: Libc = libc()): string | undefined {
  const filled = ask(c, fd);
  if (filled < BYTES_WITH_SENT)
    return (
      `the kernel tells ${filled} bytes of TCP_INFO and not what it sent (Linux 4.19 does): ` +
      "lines are judged by acknowledgements alone"
    );
  const seen = [view.getUint8(At.state), u32(At.sndMss), u32(At.minRtt)];
  if (seen.join() === [TCP_CLOSE, DEFAULT_MSS, UNKNOWN].join()) return undefined;
  return (
    `TCP_INFO has another layout than Linux's (${seen.join(", ")} in a new socket): ` +
    "the rates and times of lines may be wrong"
  );
}

/** Fills `value`. How many bytes the kernel filled; 0 when it refused. */
function ask(c: Libc, fd: number): number {
  length[0] = TCP_INFO_BYTES;
  value.fill(0);
  return c.getsockopt(fd, Sys.IPPROTO_TCP, Sys.TCP_INFO, value, length) === 0 ? length[0] : 0;
}

function u32(offset: number): number {
  return view.getUint32(offset, LITTLE);
}

/** Exact to 2^53. Beyond it there is only "unlimited" (~0), where precision does not matter. */
function u64(offset: number): number {
  return Number(view.getBigUint64(offset, LITTLE));
}
