import { type Libc, libc, type ReadableWatch, Sys } from "./libc.ts";
import { readU32, writeU16, writeU32 } from "./netlink-attributes.ts";
import {
  decodeMessages,
  encodeMessage,
  errnoOf,
  NetlinkFlag,
  type NetlinkMessage,
  NetlinkType,
} from "./netlink-message.ts";
import { errnoName, errnoText, SystemError } from "./system-error.ts";

/** What a socket talks to (linux/netlink.h). */
export const NetlinkProtocol = { route: 0, netfilter: 12 } as const;

export interface NetlinkOptions {
  readonly protocol: number;
  /** Groups whose notifications it gets, by number (RTNLGRP_*, NFNLGRP_*): 32 at most. */
  readonly groups?: readonly number[];
  /** A notification. Its body is good until the call returns. */
  readonly onMessage?: (message: NetlinkMessage) => void;
  /** Notifications were lost, as they came faster than they were read: whoever follows something reads it anew. */
  readonly onLost?: () => void;
}

interface Request {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly replies: NetlinkMessage[];
  readonly onReply: ((reply: NetlinkMessage) => void) | undefined;
  readonly resolve: (replies: NetlinkMessage[]) => void;
  readonly reject: (error: SystemError) => void;
  isInterrupted: boolean;
}

/** `struct sockaddr_nl`: family, padding, port, mask of the groups 1 to 32. */
const ADDRESS_BYTES = 12;
/** The kernel fills at most 32 KiB of a listing into one datagram. */
const READ_BYTES = 64 * 1024;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
/** Without them an error carries the whole request back, and a listing passes over what the request asks to leave out. */
const NETLINK_CAP_ACK = 10;
const NETLINK_GET_STRICT_CHK = 12;
/** Datagrams that are read in one turn: a flood of notifications does not hold up the data. */
const READS_PER_TURN = 8;

// Shared: a datagram is taken apart before the next one is read.
const read = Buffer.alloc(READ_BYTES);
const sender = Buffer.alloc(ADDRESS_BYTES);
const senderLength = new Uint32Array(1);

/**
 * A netlink socket (netlink(7)): asks the kernel, and hears of what it does. The descriptor is non-blocking and not
 * inherited by children. It keeps the process alive until it is closed.
 */
export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #watch: ReadableWatch;
  readonly #options: NetlinkOptions;
  /** The first is being answered: the kernel makes one listing at a time for a socket. */
  readonly #requests: Request[] = [];
  #sequence = 0;
  /** Something was lost. More may be lost unsaid until all that is there has been read. */
  #hasLost = false;
  #isClosed = false;

  /** @throws SystemError EPERM (the group needs CAP_NET_ADMIN), EPROTONOSUPPORT (the kernel lacks it), EMFILE ... */
  constructor(options: NetlinkOptions) {
    this.#options = options;
    this.#libc = libc();
    const type = Sys.SOCK_RAW | Sys.SOCK_NONBLOCK | Sys.SOCK_CLOEXEC;
    this.#fd = this.#libc.socket(Sys.AF_NETLINK, type, options.protocol);
    if (this.#fd < 0) throw this.#failure("socket", "cannot open a netlink socket");
    try {
      this.#prepare();
      this.#watch = this.#libc.watchReadable(this.#fd, () => this.#handleReadable());
    } catch (error) {
      this.#libc.close(this.#fd);
      throw error;
    }
  }

  #prepare(): void {
    const address = Buffer.alloc(ADDRESS_BYTES);
    writeU16(address, Sys.AF_NETLINK, 0);
    if (this.#libc.bind(this.#fd, address, address.length) !== 0)
      throw this.#failure("bind", "cannot bind a netlink socket");
    for (const option of [NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) this.#set(option, 1);
    for (const group of this.#options.groups ?? []) {
      if (!this.#set(NETLINK_ADD_MEMBERSHIP, group))
        throw this.#failure("setsockopt", `cannot listen to netlink group ${group}`);
    }
  }

  #set(option: number, value: number): boolean {
    const bytes = Buffer.alloc(4);
    writeU32(bytes, value, 0);
    return this.#libc.setsockopt(this.#fd, SOL_NETLINK, option, bytes, bytes.length) === 0;
  }

  /**
   * Asks the kernel. Resolves with what it answers, which is nothing where it only does something, and all entries where
   * `flags` has `NetlinkFlag.dump`. With `onReply` they are given there one by one instead, for long lists: their bodies are
   * good until the call returns.
   * @throws SystemError the kernel's errno; EINTR: the table changed while it was listed; ENOBUFS: the answer was lost;
   *   ECANCELED: the socket was closed
   */
  request(
    type: number,
    flags: number,
    body: Buffer,
    onReply?: (reply: NetlinkMessage) => void,
  ): Promise<NetlinkMessage[]> {
    this.#sequence = (this.#sequence % 0xffff_ffff) + 1;
    const sequence = this.#sequence;
    const asked = { type, flags: flags | NetlinkFlag.request | NetlinkFlag.ack, sequence, body };
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(failure(125, "send", "the netlink socket is closed"));
      const bytes = encodeMessage(asked);
      this.#requests.push({ sequence, bytes, replies: [], onReply, resolve, reject, isInterrupted: false });
      if (this.#requests.length === 1) this.#sendFirst();
    });
  }

  #sendFirst(): void {
    const [request] = this.#requests;
    if (!request) return;
    if (this.#libc.send(this.#fd, request.bytes, request.bytes.length, 0) >= 0) return;
    const error = this.#failure("send", "cannot send a netlink request");
    this.#settle(({ reject }) => reject(error));
  }

  /** The first request is over; the next one's turn. */
  #settle(settle: (request: Request) => void): void {
    const request = this.#requests.shift();
    if (request) settle(request);
    this.#sendFirst();
  }

  #handleReadable(): void {
    for (let reads = 0; reads < READS_PER_TURN && !this.#isClosed; reads++) {
      senderLength[0] = ADDRESS_BYTES;
      const args = [this.#fd, read, READ_BYTES, Sys.MSG_TRUNC, sender, senderLength] as const;
      const length = this.#libc.recvfrom(...args);
      const errno = length < 0 ? this.#libc.errno() : 0;
      if (length > READ_BYTES || errnoName(errno) === "ENOBUFS") this.#hasLost = true;
      else if (length >= 0) this.#handleDatagram(read.subarray(0, length));
      else if (errnoName(errno) === "EAGAIN") return this.#handleAllRead();
      else if (errnoName(errno) !== "EINTR") return;
    }
  }

  #handleDatagram(bytes: Buffer): void {
    // Another process may send, too; only the kernel's port is 0.
    if (readU32(sender, 4) !== 0) return;
    // A notification carries the number that whoever made the change gave to its request.
    const isNotification = readU32(sender, 8) !== 0;
    for (const message of decodeMessages(bytes)) {
      if (this.#isClosed) return;
      const [request] = this.#requests;
      if (isNotification) this.#options.onMessage?.(message);
      else if (request?.sequence === message.sequence) this.#handleReply(message, request);
    }
  }

  #handleReply(message: NetlinkMessage, request: Request): void {
    if (message.flags & NetlinkFlag.dumpInterrupted) request.isInterrupted = true;
    if (message.type !== NetlinkType.error && message.type !== NetlinkType.done) {
      if (request.onReply) request.onReply(message);
      else request.replies.push({ ...message, body: Buffer.from(message.body) });
      return;
    }
    const errno = errnoOf(message) || (request.isInterrupted ? 4 : 0);
    this.#settle(({ replies, resolve, reject }) => {
      if (errno === 0) resolve(replies);
      else reject(failure(errno, "netlink", "the kernel refused a netlink request"));
    });
  }

  /** Answers may be among what was lost: the kernel gives them at once. */
  #handleAllRead(): void {
    if (!this.#hasLost) return;
    this.#hasLost = false;
    const error = failure(105, "recvfrom", "a netlink answer was lost");
    this.#settle(({ reject }) => reject(error));
    this.#options.onLost?.();
  }

  /** No notification comes any more; who waits for an answer is refused. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.close();
    this.#libc.close(this.#fd);
    const error = failure(125, "close", "the netlink socket was closed");
    for (const { reject } of this.#requests.splice(0)) reject(error);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #failure(syscall: string, message: string): SystemError {
    return failure(this.#libc.errno(), syscall, message);
  }
}

function failure(errno: number, syscall: string, message: string): SystemError {
  return new SystemError(errnoName(errno), errno, syscall, `${message}: ${errnoText(errno)}`);
}
