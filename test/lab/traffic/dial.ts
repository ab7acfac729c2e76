import { connect, isIP, isIPv6, type Socket, SocketAddress, type SocketConstructorOpts } from "node:net";

export interface Target {
  host: string;
  port: number;
  /** The SOCKS5 server to connect through; without it the client connects directly. */
  socks?: { host: string; port: number };
}

/** A static buffer to read into. Fresh memory for each read is what costs most at high rates. */
export interface Receiver {
  buffer: Uint8Array;
  onData(bytes: number, buffer: Uint8Array): void;
}

/**
 * Connects and sends `request`. Resolves with the socket once the request has been handed over. The receiver gets the
 * bytes that come. Through SOCKS5 the method, the request and the replies go first, each as its own step.
 *
 * @param signal destroys the socket, at whatever stage it is
 */
export async function dial(
  target: Target,
  request: string,
  receiver: Receiver,
  signal?: AbortSignal,
): Promise<Socket> {
  const { host, port } = target.socks ?? target;
  let handle = receiver.onData.bind(receiver);
  const onread: SocketConstructorOpts["onread"] = {
    buffer: receiver.buffer,
    callback: (bytes, buffer) => {
      handle(bytes, buffer);
      return true;
    },
  };
  const socket = connect({ host, port, onread, allowHalfOpen: true, noDelay: true, autoSelectFamily: false });
  signal?.addEventListener("abort", () => socket.destroy(new Error("called off")));
  await opened(socket);
  if (target.socks !== undefined) {
    const inbox = new Inbox(socket);
    handle = (bytes, buffer) => inbox.push(buffer.subarray(0, bytes));
    await negotiate(socket, inbox, target);
    handle = receiver.onData.bind(receiver);
  }
  socket.write(request);
  return socket;
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
}

/** Bytes received while the connection is being set up. */
class Inbox {
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};
  #closed = false;

  constructor(socket: Socket) {
    socket.once("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  push(data: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    this.#wake();
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.#closed) throw new Error("the SOCKS server closed the connection");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

// RFC 1928: version 5, one method (0: none); then CONNECT (1), reserved, address type, address, port.
async function negotiate(socket: Socket, inbox: Inbox, target: Target): Promise<void> {
  socket.write(Buffer.of(5, 1, 0));
  const method = await inbox.take(2);
  if (method[0] !== 5 || method[1] !== 0)
    throw new Error(`the SOCKS server answered ${method.toString("hex")}`);
  const port = Buffer.alloc(2);
  port.writeUInt16BE(target.port);
  socket.write(Buffer.concat([Buffer.of(5, 1, 0), encodeHost(target.host), port]));
  const reply = await inbox.take(5);
  if (reply[1] !== 0) throw new Error(`the SOCKS server refused: reply ${reply[1]}`);
  const addressBytes = { 1: 4, 3: 1 + (reply[4] as number), 4: 16 }[reply[3] as number];
  if (addressBytes === undefined) throw new Error(`SOCKS reply with address type ${reply[3]}`);
  // One byte of the address was taken with the head.
  await inbox.take(addressBytes - 1 + 2);
}

function encodeHost(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from([1, ...host.split(".").map(Number)]);
  if (isIPv6(host)) return Buffer.concat([Buffer.of(4), ipv6Bytes(host)]);
  return Buffer.concat([Buffer.of(3, host.length), Buffer.from(host, "latin1")]);
}

function ipv6Bytes(host: string): Buffer {
  const [head = "", tail] = new SocketAddress({ address: host, family: "ipv6" }).address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const left = groups(head);
  const right = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}
