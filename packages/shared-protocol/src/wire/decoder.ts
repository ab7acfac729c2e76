import { CloseCode } from "./codes.ts";
import {
  type CloseScope,
  type EgressFamilies,
  type Endpoint,
  FLOW_KINDS,
  type Frame,
  FrameType,
  type HelloFrame,
  MAX_HOST,
  MAX_PATH_NAME,
  MAX_PAYLOAD,
  MAX_REASON,
  PATH_ROLES,
  type PathPolicy,
  type PathRole,
  SESSION_ID_LENGTH,
} from "./frames.ts";
import { MAX_VARINT, readVarint } from "./varint.ts";

/** The fault in a peer's bytes: the code to close the subflow by, and a sentence for the log. */
export interface WireError {
  readonly code: CloseCode;
  readonly reason: string;
}

/** Takes what the decoder finds, in order. Each method may end the decoding by returning an error. */
export interface FrameSink {
  handleFrame(frame: Frame): WireError | undefined;
  /** The payload of a DATA frame, or a part of it. `piece` is a view on the bytes given to `decode`. */
  handleData(stream: number, offset: number, piece: Uint8Array): WireError | undefined;
}

/** No frame is longer than this, payload left out. So no more than this is kept of an unfinished frame, bytes. */
const MAX_PARTIAL = 1_024;

/**
 * Finds the frames in one subflow's bytes, in pieces of any size. A payload is passed on as it comes, without a copy.
 * Of an unfinished frame at most MAX_PARTIAL bytes are kept between calls.
 */
export class FrameDecoder {
  readonly #cursor = new Cursor();
  #partial: Buffer | undefined;
  #stream = 0;
  #offset = 0;
  #payloadLeft = 0;

  /** True while some of a DATA frame's payload is still to come. */
  get inPayload(): boolean {
    return this.#payloadLeft > 0;
  }

  /**
   * Decodes all of `bytes`. After an error the subflow's bytes make no sense any more, and `decode` must not be called
   * again. Never throws by itself.
   */
  decode(bytes: Uint8Array, sink: FrameSink): WireError | undefined {
    let input = bytes;
    if (this.#partial) {
      input = Buffer.concat([this.#partial, bytes]);
      this.#partial = undefined;
    }
    let at = 0;
    while (at < input.length) {
      if (this.#payloadLeft > 0) {
        const piece = input.subarray(at, at + this.#payloadLeft);
        at += piece.length;
        const error = this.#passPayload(piece, sink);
        if (error) return error;
        continue;
      }
      const cursor = this.#cursor.reset(input, at);
      const frame = readFrame(cursor);
      if (cursor.error) return cursor.error;
      if (cursor.short) return this.#keep(input.subarray(at));
      at = cursor.at;
      if (frame === DATA_HEADER) {
        this.#stream = cursor.dataStream;
        this.#offset = cursor.dataOffset;
        this.#payloadLeft = cursor.dataLength;
        continue;
      }
      const error = sink.handleFrame(frame as Frame);
      if (error) return error;
    }
    return undefined;
  }

  #passPayload(piece: Uint8Array, sink: FrameSink): WireError | undefined {
    const offset = this.#offset;
    this.#offset += piece.length;
    this.#payloadLeft -= piece.length;
    return sink.handleData(this.#stream, offset, piece);
  }

  #keep(rest: Uint8Array): WireError | undefined {
    if (rest.length > MAX_PARTIAL) return { code: CloseCode.protocol, reason: "a frame longer than any" };
    this.#partial = Buffer.from(rest);
    return undefined;
  }
}

/** `readFrame` returns this for a DATA header. The header's fields are in the cursor, so that no object is made per chunk. */
const DATA_HEADER = Symbol("data header");

/**
 * Reads fields and remembers what went wrong: `short` when the bytes end too early, `error` when they are wrong. Every read
 * after that gives a harmless value, so that the functions below need no checks of their own.
 */
class Cursor {
  at = 0;
  short = false;
  error: WireError | undefined;
  dataStream = 0;
  dataOffset = 0;
  dataLength = 0;
  #bytes: Uint8Array = new Uint8Array();

  reset(bytes: Uint8Array, at: number): this {
    this.#bytes = bytes;
    this.at = at;
    this.short = false;
    this.error = undefined;
    return this;
  }

  fail(reason: string): void {
    if (!this.short) this.error ??= { code: CloseCode.protocol, reason };
  }

  bytes(length: number): Uint8Array {
    if (this.short || this.at + length > this.#bytes.length) {
      this.short = true;
      return new Uint8Array();
    }
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  u8(): number {
    if (this.short || this.at >= this.#bytes.length) {
      this.short = true;
      return 0;
    }
    return this.#bytes[this.at++] as number;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  varint(): number {
    if (this.short || this.at >= this.#bytes.length) {
      this.short = true;
      return 0;
    }
    const length = 1 << ((this.#bytes[this.at] as number) >> 6);
    if (this.at + length > this.#bytes.length) {
      this.short = true;
      return 0;
    }
    const value = readVarint(this.#bytes, this.at);
    this.at += length;
    if (value > MAX_VARINT) this.fail("an integer above 2^53 - 1");
    return value;
  }

  text(limit: number): string {
    const length = this.varint();
    if (length > limit) {
      this.fail(`a text of ${length} bytes where ${limit} are allowed`);
      return "";
    }
    return Buffer.from(this.bytes(length)).toString("utf8");
  }

  /** The value that stands at the place of the number read; `what` names it in the error. */
  choice<T>(values: readonly T[], what: string): T {
    const number = this.u8();
    const value = values[number];
    if (value === undefined) this.fail(`unknown ${what} ${number}`);
    return value as T;
  }
}

const CLOSE_SCOPES: readonly CloseScope[] = ["subflow", "session"];

function readFrame(c: Cursor): Frame | typeof DATA_HEADER | undefined {
  const type = c.u8();
  switch (type) {
    case FrameType.data:
      return readDataHeader(c);
    case FrameType.ack:
      return { type: "ack", received: c.varint(), delay: c.varint(), time: c.varint() };
    case FrameType.credit:
      return { type: "credit", stream: c.varint(), limit: c.varint() };
    case FrameType.open:
      return {
        type: "open",
        stream: c.varint(),
        kind: c.choice(FLOW_KINDS, "flow kind"),
        destination: readEndpoint(c),
        source: readEndpoint(c),
      };
    case FrameType.opened:
      return { type: "opened", stream: c.varint(), bound: readEndpoint(c) };
    case FrameType.fin:
      return { type: "fin", stream: c.varint(), offset: c.varint() };
    case FrameType.reset:
      return { type: "reset", stream: c.varint(), code: c.varint() };
    case FrameType.ping:
      return { type: "ping" };
    case FrameType.path:
      return { type: "path", role: readRole(c) };
    case FrameType.gone:
      return { type: "gone", subflow: c.varint(), received: c.varint(), role: readRole(c) };
    case FrameType.arrived:
      return { type: "arrived", subflow: c.varint(), received: c.varint() };
    case FrameType.egress:
      return { type: "egress", number: c.varint(), families: readFamilies(c) };
    case FrameType.allowance:
      return { type: "allowance", limit: c.varint() };
    case FrameType.close:
      return {
        type: "close",
        scope: c.choice(CLOSE_SCOPES, "close scope"),
        code: c.varint(),
        reason: c.text(MAX_REASON),
      };
    case FrameType.hello:
      return readHello(c);
    case FrameType.welcome:
      return { type: "welcome", version: c.varint() };
    default:
      c.fail(`unknown frame type 0x${type.toString(16)}`);
      return undefined;
  }
}

function readDataHeader(c: Cursor): typeof DATA_HEADER {
  c.dataStream = c.varint();
  c.dataOffset = c.varint();
  c.dataLength = c.varint();
  if (c.short) return DATA_HEADER;
  if (c.dataLength === 0 || c.dataLength > MAX_PAYLOAD) c.fail(`a DATA frame of ${c.dataLength} bytes`);
  if (c.dataOffset + c.dataLength > MAX_VARINT) c.fail("a DATA frame beyond the last offset");
  return DATA_HEADER;
}

function readHello(c: Cursor): Frame {
  const version = c.varint();
  const session = Uint8Array.from(c.bytes(SESSION_ID_LENGTH));
  const flags = c.u8();
  if (flags > 3) c.fail(`unknown HELLO flags ${flags}`);
  const hello: HelloFrame = {
    type: "hello",
    version,
    session,
    resume: (flags & 1) !== 0,
    path: c.text(MAX_PATH_NAME),
    index: c.varint(),
    role: readRole(c),
    subflow: c.varint(),
  };
  return (flags & 2) !== 0 ? { ...hello, policy: readPolicy(c) } : hello;
}

function readRole(c: Cursor): PathRole {
  return c.choice<PathRole>(PATH_ROLES, "path role");
}

function readFamilies(c: Cursor): EgressFamilies {
  const bits = c.u8();
  if (bits > 3) c.fail(`unknown address families ${bits}`);
  return { ipv4: (bits & 1) !== 0, ipv6: (bits & 2) !== 0 };
}

function readPolicy(c: Cursor): PathPolicy {
  const tier = c.u8();
  if (tier === 0) c.fail("a path of tier 0");
  const rate = c.varint();
  const flags = c.u8();
  if (flags > 3) c.fail(`unknown policy flags ${flags}`);
  return { tier, rate, metered: (flags & 1) !== 0, rationed: (flags & 2) !== 0 };
}

function readEndpoint(c: Cursor): Endpoint {
  return { host: c.text(MAX_HOST), port: c.u16() };
}
