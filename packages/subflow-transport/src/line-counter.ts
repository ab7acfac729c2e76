import type { TcpInfo } from "@hawser/linux-sockets";

/** Header bytes of a packet: IP, TCP, and TCP's timestamps. Other options are not counted: SYN and SACK alone have them. */
const IPV4 = 20;
const IPV6 = 40;
const TCP = 20;
const TIMESTAMPS = 12;
/** The kernel counts segments in 32 bits. */
const WRAP = 2 ** 32;

/**
 * How many bytes one TCP connection has put on its line and taken from it, as IP packets: payload with TLS, headers, bare
 * acknowledgements and retransmissions. Of a segment that arrives twice, the kernel counts the second header alone.
 */
export class LineCounter {
  readonly #ip: number;
  #out = 0;
  #in = 0;
  sent = 0;
  received = 0;

  constructor(family: "IPv4" | "IPv6") {
    this.#ip = family === "IPv6" ? IPV6 : IPV4;
  }

  /** Takes the kernel's counts since the connection began. */
  handleInfo({ bytesSent, bytesAcked, bytesReceived, segsOut, segsIn, hasTimestamps }: TcpInfo): void {
    const header = this.#ip + TCP + (hasTimestamps ? TIMESTAMPS : 0);
    this.#out += (segsOut - (this.#out % WRAP) + WRAP) % WRAP;
    this.#in += (segsIn - (this.#in % WRAP) + WRAP) % WRAP;
    // Before Linux 4.19 the kernel does not tell what it sent, but what was acknowledged.
    this.sent = (bytesSent || bytesAcked) + this.#out * header;
    this.received = bytesReceived + this.#in * header;
  }
}
