import { libc, Sys } from "./libc.ts";

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
/** Of `tcpi_options`. */
const TCPI_OPT_TIMESTAMPS = 1;

// Reused: this is asked for every subflow many times a second.
const value = Buffer.alloc(TCP_INFO_BYTES);
const view = new DataView(value.buffer, value.byteOffset, value.length);
const length = new Uint32Array(1);
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The state of the TCP connection behind descriptor `fd` (see `socketFd`), or undefined when it is gone or no TCP
 * connection. Costs about a microsecond.
 * @throws SystemError only when the C library cannot be reached at all.
 */
export function tcpInfo(fd: number | undefined): TcpInfo | undefined {
  if (fd === undefined || fd < 0) return undefined;
  length[0] = TCP_INFO_BYTES;
  value.fill(0);
  if (libc().getsockopt(fd, Sys.IPPROTO_TCP, Sys.TCP_INFO, value, length) !== 0) return undefined;
  if ((length[0] ?? 0) < LEAST_BYTES) return undefined;
  return {
    sndMss: u32(16),
    unacked: u32(24),
    sacked: u32(28),
    lost: u32(32),
    rtt: u32(68),
    cwnd: u32(80),
    totalRetrans: u32(100),
    bytesAcked: u64(120),
    bytesReceived: u64(128),
    notsentBytes: u32(144),
    minRtt: orUnknown(u32(148)),
    bytesSent: u64(200),
    bytesRetrans: u64(208),
    segsOut: u32(136),
    segsIn: u32(140),
    hasTimestamps: (view.getUint8(5) & TCPI_OPT_TIMESTAMPS) !== 0,
  };
}

/** The kernel has ~0 for a minimum of nothing. */
function orUnknown(minimum: number): number {
  return minimum === 0xffff_ffff ? 0 : minimum;
}

function u32(offset: number): number {
  return view.getUint32(offset, LITTLE);
}

/** Exact to 2^53; beyond it only "unlimited" (~0) is ever seen, where precision does not matter. */
function u64(offset: number): number {
  return Number(view.getBigUint64(offset, LITTLE));
}
