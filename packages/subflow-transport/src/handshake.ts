import type { TLSSocket } from "node:tls";
import {
  CloseCode,
  codeName,
  type Frame,
  FrameDecoder,
  FrameEncoder,
  type HelloFrame,
  OLDEST_VERSION,
  PROTOCOL_VERSION,
  type WireError,
} from "@hawser/shared-protocol";

/** SPEC.md section 2: TLS and HELLO must be here 5 s after the connection, and WELCOME 5 s after HELLO. */
export const JOIN_DEADLINE_MS = 5_000;

/** A subflow did not join: the peer refused it (`closeCode` is the peer's), or broke the protocol (`closeCode` is ours). */
export class JoinError extends Error {
  override readonly name = "JoinError";
  readonly code = "ERR_JOIN";
  readonly closeCode: CloseCode;

  constructor(closeCode: CloseCode, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

export interface Welcome {
  /** The protocol version that the remote gateway chose; not above that of HELLO. */
  readonly version: number;
  /** The bytes that came after WELCOME. */
  readonly rest: Buffer;
}

/**
 * The local side: sends HELLO and waits for WELCOME. The socket is paused when it resolves.
 * @throws JoinError, also when `signal` aborts. The socket is destroyed then.
 */
export async function joinSession(
  socket: TLSSocket,
  hello: HelloFrame,
  signal?: AbortSignal,
): Promise<Welcome> {
  write(socket, hello);
  const { frame, rest } = await firstFrame(socket, JOIN_DEADLINE_MS, signal);
  if (frame.type === "welcome" && frame.version >= OLDEST_VERSION && frame.version <= hello.version)
    return { version: frame.version, rest };
  socket.destroy();
  if (frame.type === "close") {
    throw new JoinError(
      frame.code,
      `the remote gateway says ${codeName(CloseCode, frame.code)}: ${frame.reason}`,
    );
  }
  throw new JoinError(CloseCode.protocol, `the remote gateway answered HELLO with ${frame.type}`);
}

/**
 * The remote side: waits for HELLO. The caller answers with `welcome` or `refuse`.
 * @throws JoinError. The socket is destroyed then.
 */
export async function awaitHello(socket: TLSSocket, withinMs: number): Promise<HelloFrame> {
  const { frame, rest } = await firstFrame(socket, withinMs);
  if (frame.type !== "hello" || rest.length > 0) {
    socket.destroy();
    throw new JoinError(CloseCode.protocol, "the peer did not begin with HELLO alone");
  }
  if (frame.version < OLDEST_VERSION) {
    refuse(
      socket,
      CloseCode.version,
      `this gateway speaks versions ${OLDEST_VERSION} to ${PROTOCOL_VERSION}`,
    );
    throw new JoinError(CloseCode.version, `the peer speaks version ${frame.version}`);
  }
  return frame;
}

/** The protocol version to speak with a peer that sent this version in HELLO. */
export function commonVersion(hello: HelloFrame): number {
  return Math.min(hello.version, PROTOCOL_VERSION);
}

/** Answers HELLO with WELCOME: the subflow has joined. */
export function welcome(socket: TLSSocket, version: number): void {
  write(socket, { type: "welcome", version });
}

/** Answers HELLO with CLOSE and ends the connection. */
export function refuse(socket: TLSSocket, code: CloseCode, reason: string): void {
  write(socket, { type: "close", scope: "session", code, reason });
  socket.end();
  const timer = setTimeout(() => socket.destroy(), 1_000);
  socket.once("close", () => clearTimeout(timer));
}

function write(socket: TLSSocket, frame: Frame): void {
  const encoder = new FrameEncoder();
  encoder.append(frame);
  for (const part of encoder.take()) socket.write(part);
}

/** The first frame on the connection, and the bytes after it. The socket is paused when it resolves. */
function firstFrame(
  socket: TLSSocket,
  withinMs: number,
  signal?: AbortSignal,
): Promise<{ frame: Frame; rest: Buffer }> {
  const decoder = new FrameDecoder();
  return new Promise((resolve, reject) => {
    const fail = (code: CloseCode, message: string): void => {
      release();
      socket.destroy();
      reject(new JoinError(code, message));
    };
    const onData = (bytes: Buffer): void => {
      const { frame, error, rest } = decodeFirst(decoder, bytes);
      if (error) return fail(error.code, error.reason);
      if (!frame) return;
      release();
      socket.pause();
      resolve({ frame, rest });
    };
    const onClose = (): void => fail(CloseCode.done, "the connection ended before the subflow had joined");
    const onAbort = (): void => fail(CloseCode.done, "the attempt was called off");
    const timer = setTimeout(
      () => fail(CloseCode.unresponsive, `no answer within ${Math.round(withinMs)} ms`),
      withinMs,
    );
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("data", onData).off("close", onClose).off("end", onClose);
    };
    socket.on("data", onData).once("close", onClose).once("end", onClose);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.resume();
    if (signal?.aborted) onAbort();
  });
}

/**
 * Decodes one frame. It goes byte by byte to find where the frame ends, as the rest is for the engine. The frame has some
 * hundred bytes, and this happens once in a connection.
 */
function decodeFirst(
  decoder: FrameDecoder,
  bytes: Buffer,
): { frame?: Frame | undefined; error?: WireError | undefined; rest: Buffer } {
  let frame: Frame | undefined;
  const sink = {
    handleFrame(first: Frame): undefined {
      frame = first;
    },
    handleData: (): WireError => ({ code: CloseCode.protocol, reason: "DATA before the subflow had joined" }),
  };
  for (let i = 0; i < bytes.length; i++) {
    const error = decoder.decode(bytes.subarray(i, i + 1), sink);
    if (error) return { error, rest: bytes };
    if (frame) return { frame, rest: bytes.subarray(i + 1) };
  }
  return { rest: bytes.subarray(bytes.length) };
}
