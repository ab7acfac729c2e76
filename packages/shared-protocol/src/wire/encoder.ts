import {
  CloseScope,
  type Endpoint,
  FLOW_KINDS,
  type Frame,
  FrameType,
  MAX_HOST,
  MAX_PATH_NAME,
  MAX_REASON,
  type PathPolicy,
  PathRole,
} from "./frames.ts";
import { varintLength, writeVarint } from "./varint.ts";

/** Payloads below this many bytes are copied next to their header: one small buffer is cheaper to write than two. */
const COPY_BELOW = 2_048;
/** Size of a block, bytes. It has room for the frames of a typical turn; a larger turn takes more blocks. */
const BLOCK_SIZE = 16_384;
/** No frame but DATA is longer than this, bytes: two texts of 255 bytes, and integers. */
const MAX_CONTROL_FRAME = 640;
/** Type, stream, offset and length of a DATA frame at their longest, bytes. */
const MAX_DATA_HEADER = 1 + 8 + 8 + 4;

/**
 * Collects the frames of one turn as a list of buffers, in order, for one gathered write. Large payloads are taken by
 * reference: their bytes must not change until the write is done.
 */
export class FrameEncoder {
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_SIZE);
  #from = 0;
  #at = 0;
  #done: Buffer[] = [];
  #doneBytes = 0;

  /** Bytes collected since the latest `take`. */
  get length(): number {
    return this.#doneBytes + this.#at - this.#from;
  }

  /** Appends a frame other than DATA. Returns the frame's length, bytes. */
  append(frame: Frame): number {
    this.#reserve(MAX_CONTROL_FRAME);
    const start = this.#at;
    this.#at = writeFrame(this.#block, start, frame);
    return this.#at - start;
  }

  /** Appends a DATA frame with 1 to MAX_PAYLOAD bytes of payload. Returns the frame's length, bytes. */
  appendData(stream: number, offset: number, payload: Uint8Array): number {
    const copied = payload.length < COPY_BELOW;
    this.#reserve(MAX_DATA_HEADER + (copied ? payload.length : 0));
    const start = this.#at;
    let at = start;
    this.#block[at++] = FrameType.data;
    at = writeVarint(this.#block, at, stream);
    at = writeVarint(this.#block, at, offset);
    at = writeVarint(this.#block, at, payload.length);
    const header = at - start;
    if (copied) {
      this.#block.set(payload, at);
      this.#at = at + payload.length;
    } else {
      this.#at = at;
      this.#closePart();
      this.#push(payload);
    }
    return header + payload.length;
  }

  /** The buffers collected so far, to be written in this order. The encoder is empty afterwards. */
  take(): Buffer[] {
    this.#closePart();
    const taken = this.#done;
    this.#done = [];
    this.#doneBytes = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#block.length) return;
    this.#closePart();
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_SIZE, bytes));
    this.#from = 0;
    this.#at = 0;
  }

  #closePart(): void {
    if (this.#at === this.#from) return;
    this.#push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  #push(part: Uint8Array): void {
    this.#done.push(part as Buffer);
    this.#doneBytes += part.length;
  }
}

/** Length of a DATA frame's header, bytes, before a payload of `length` bytes. */
export function dataHeaderLength(stream: number, offset: number, length: number): number {
  return 1 + varintLength(stream) + varintLength(offset) + varintLength(length);
}

/** Writes one frame at `start` and returns the position behind it. SPEC.md, section 3, has the layouts in this order. */
function writeFrame(to: Buffer, start: number, frame: Frame): number {
  let at = start;
  to[at++] = FrameType[frame.type];
  switch (frame.type) {
    case "hello":
      at = writeVarint(to, at, frame.version);
      to.set(frame.session, at);
      at += frame.session.length;
      to[at++] = (frame.resume ? 1 : 0) | (frame.policy ? 2 : 0);
      at = writeText(to, at, frame.path, MAX_PATH_NAME);
      at = writeVarint(to, at, frame.index);
      to[at++] = PathRole[frame.role];
      at = writeVarint(to, at, frame.subflow);
      return frame.policy ? writePolicy(to, at, frame.policy) : at;
    case "welcome":
      return writeVarint(to, at, frame.version);
    case "close":
      to[at++] = CloseScope[frame.scope];
      at = writeVarint(to, at, frame.code);
      return writeText(to, at, frame.reason, MAX_REASON);
    case "ping":
      return at;
    case "ack":
      at = writeVarint(to, at, frame.received);
      at = writeVarint(to, at, frame.delay);
      return writeVarint(to, at, frame.time);
    case "path":
      to[at++] = PathRole[frame.role];
      return at;
    case "gone":
      at = writeVarint(to, at, frame.subflow);
      at = writeVarint(to, at, frame.received);
      to[at++] = PathRole[frame.role];
      return at;
    case "arrived":
      at = writeVarint(to, at, frame.subflow);
      return writeVarint(to, at, frame.received);
    case "egress":
      at = writeVarint(to, at, frame.number);
      to[at++] = (frame.families.ipv4 ? 1 : 0) | (frame.families.ipv6 ? 2 : 0);
      return at;
    case "allowance":
      return writeVarint(to, at, frame.limit);
    case "open":
      at = writeVarint(to, at, frame.stream);
      to[at++] = FLOW_KINDS.indexOf(frame.kind);
      at = writeEndpoint(to, at, frame.destination);
      return writeEndpoint(to, at, frame.source);
    case "opened":
      at = writeVarint(to, at, frame.stream);
      return writeEndpoint(to, at, frame.bound);
    case "fin":
      at = writeVarint(to, at, frame.stream);
      return writeVarint(to, at, frame.offset);
    case "reset":
      at = writeVarint(to, at, frame.stream);
      return writeVarint(to, at, frame.code);
    case "credit":
      at = writeVarint(to, at, frame.stream);
      return writeVarint(to, at, frame.limit);
  }
}

function writePolicy(to: Buffer, start: number, { tier, rate, metered, rationed }: PathPolicy): number {
  let at = start;
  to[at++] = tier;
  at = writeVarint(to, at, rate);
  to[at++] = (metered ? 1 : 0) | (rationed ? 2 : 0);
  return at;
}

function writeEndpoint(to: Buffer, at: number, endpoint: Endpoint): number {
  return to.writeUInt16BE(endpoint.port, writeText(to, at, endpoint.host, MAX_HOST));
}

/** Cuts a text above the limit: it is a name that was checked before, or a reason for a log. */
function writeText(to: Buffer, at: number, text: string, limit: number): number {
  const bytes = Buffer.from(text, "utf8").subarray(0, limit);
  const behind = writeVarint(to, at, bytes.length);
  to.set(bytes, behind);
  return behind + bytes.length;
}
