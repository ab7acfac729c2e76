import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../random.ts";
import { CloseCode } from "./codes.ts";
import { FrameDecoder, type FrameSink, type WireError } from "./decoder.ts";
import { FrameEncoder } from "./encoder.ts";
import { type Frame, FrameType, MAX_PAYLOAD } from "./frames.ts";

const SESSION = Uint8Array.from({ length: 16 }, (_, i) => i);

/** Every frame, and its bytes as SPEC.md has them. */
const GOLDEN: readonly [Frame, string][] = [
  [
    {
      type: "hello",
      version: 1,
      session: SESSION,
      resume: true,
      path: "dsl",
      index: 2,
      role: "backup",
      subflow: 300,
    },
    "0101000102030405060708090a0b0c0d0e0f010364736c0201412c",
  ],
  [{ type: "welcome", version: 1 }, "0201"],
  [{ type: "close", scope: "session", code: 7, reason: "bye" }, "03010703627965"],
  [{ type: "ping" }, "04"],
  [{ type: "ack", received: 16_384, delay: 100, time: 5 }, "0580004000406405"],
  [{ type: "path", role: "disabled" }, "0602"],
  [{ type: "gone", subflow: 70, received: 5, role: "disabled" }, "0740460502"],
  [{ type: "arrived", subflow: 3, received: 65_536 }, "090380010000"],
  [{ type: "egress", number: 1, families: { ipv4: true, ipv6: false } }, "0a0101"],
  [{ type: "allowance", limit: 65_536 }, "0880010000"],
  [
    {
      type: "open",
      stream: 3,
      kind: "socks",
      destination: { host: "example.org", port: 443 },
      source: { host: "10.0.0.2", port: 40_000 },
    },
    "1003010b6578616d706c652e6f726701bb0831302e302e302e329c40",
  ],
  [{ type: "opened", stream: 3, bound: { host: "", port: 0 } }, "1103000000"],
  [{ type: "fin", stream: 64, offset: 1_073_741_824 }, "134040c000000040000000"],
  [{ type: "reset", stream: 1, code: 2 }, "140102"],
  [{ type: "credit", stream: 1, limit: 65_536 }, "150180010000"],
];

/** What a decoder finds, as a list. */
class Collector implements FrameSink {
  readonly frames: Frame[] = [];
  readonly data: { stream: number; offset: number; bytes: Buffer }[] = [];

  handleFrame(frame: Frame): undefined {
    this.frames.push(frame);
  }

  handleData(stream: number, offset: number, piece: Uint8Array): undefined {
    const last = this.data.at(-1);
    if (last?.stream === stream && last.offset + last.bytes.length === offset) {
      last.bytes = Buffer.concat([last.bytes, piece]);
    } else {
      this.data.push({ stream, offset, bytes: Buffer.from(piece) });
    }
  }
}

function decode(bytes: Uint8Array, step = bytes.length): { found: Collector; error: WireError | undefined } {
  const decoder = new FrameDecoder();
  const found = new Collector();
  let error: WireError | undefined;
  for (let at = 0; at < bytes.length && !error; at += step) {
    error = decoder.decode(bytes.subarray(at, at + step), found);
  }
  return { found, error };
}

function encoded(...frames: readonly Frame[]): Buffer {
  const encoder = new FrameEncoder();
  for (const frame of frames) encoder.append(frame);
  return Buffer.concat(encoder.take());
}

describe("frames", () => {
  for (const [frame, hex] of GOLDEN) {
    it(`${frame.type} has its bytes`, () => {
      assert.equal(encoded(frame).toString("hex"), hex);
      assert.deepEqual(decode(Buffer.from(hex, "hex")), {
        found: Object.assign(new Collector(), { frames: [frame] }),
        error: undefined,
      });
    });
  }

  it("HELLO carries a policy when its flags say so, and every field of the policy is checked", () => {
    const [hello, hex] = GOLDEN[0] as [Frame & { type: "hello" }, string];
    const policy = { tier: 2, rate: 250_000, metered: true, rationed: true };
    const bytes = `${hex.replace("0f010364", "0f030364")}028003d09003`;
    assert.equal(encoded({ ...hello, policy }).toString("hex"), bytes);
    assert.deepEqual(decode(Buffer.from(bytes, "hex")).found.frames, [{ ...hello, policy }]);
    for (const wrong of ["008003d09003", "028003d09004"]) {
      const { error } = decode(Buffer.from(bytes.slice(0, -12) + wrong, "hex"));
      assert.equal(error?.code, CloseCode.protocol);
    }
  });

  it("EGRESS with a family that this version does not know is refused", () => {
    assert.equal(decode(Buffer.from("0a0104", "hex")).error?.code, CloseCode.protocol);
  });

  it("DATA has its bytes, small and large, and the announced length", () => {
    for (const length of [1, 100, 2_047, 2_048, MAX_PAYLOAD]) {
      const encoder = new FrameEncoder();
      const payload = Buffer.alloc(length, 0xab);
      const size = encoder.appendData(5, 70_000, payload);
      assert.equal(encoder.length, size);
      const bytes = Buffer.concat(encoder.take());
      assert.equal(bytes.length, size);
      if (length === 100) assert.equal(bytes.subarray(0, 8).toString("hex"), "1205800111704064");
      const { found } = decode(bytes);
      assert.deepEqual(found.data, [{ stream: 5, offset: 70_000, bytes: payload }]);
    }
  });

  it("the golden frames cover each frame type once", () => {
    assert.deepEqual([...GOLDEN.map(([frame]) => frame.type), "data"].sort(), Object.keys(FrameType).sort());
  });

  it("are decoded alike, whatever pieces their bytes come in", () => {
    const encoder = new FrameEncoder();
    for (const [frame] of GOLDEN) {
      encoder.append(frame);
      encoder.appendData(9, 123_456_789, Buffer.alloc(3_000, frame.type));
      encoder.appendData(1, 0, Buffer.from("x"));
    }
    const bytes = Buffer.concat(encoder.take());
    const whole = decode(bytes);
    assert.equal(whole.error, undefined);
    assert.equal(whole.found.frames.length, GOLDEN.length);
    for (const step of [1, 2, 3, 7, 19, 1_448, 4_096]) assert.deepEqual(decode(bytes, step), whole);
  });

  it("a turn larger than the encoder's block keeps its order", () => {
    const encoder = new FrameEncoder();
    const frames: Frame[] = Array.from({ length: 5_000 }, (_, i) => ({
      type: "fin",
      stream: i,
      offset: i * i,
    }));
    let length = 0;
    for (const frame of frames) length += encoder.append(frame);
    assert.equal(encoder.length, length);
    assert.deepEqual(decode(Buffer.concat(encoder.take())).found.frames, frames);
    assert.equal(encoder.length, 0);
  });
});

/** Bytes that no peer may send, and what is wrong with them. */
const MALFORMED: readonly [string, string][] = [
  ["08", "unknown type"],
  ["00", "type 0"],
  ["ff", "type 0xff"],
  ["120000", "DATA without its length is only short"],
  ["12000000", "DATA of no bytes"],
  ["12000080010001", "DATA of 65537 bytes"],
  ["1200c01ffffffffffffe02", "DATA beyond the last offset"],
  ["13c02000000000000000", "an integer of 2^53"],
  ["0603", "unknown role"],
  ["0302", "unknown close scope"],
  ["0300004101", "a reason of 257 bytes"],
  ["100004", "unknown flow kind"],
  ["1000004100", "a host of 256 bytes"],
  [`0101${"00".repeat(16)}02`, "unknown HELLO flags"],
  [`0101${"00".repeat(16)}004041`, "a path name of 65 bytes"],
];

describe("malformed frames", () => {
  for (const [hex, what] of MALFORMED) {
    it(what, () => {
      const bytes = Buffer.concat([
        Buffer.from(hex, "hex"),
        Buffer.alloc(what.includes("only short") ? 0 : 600),
      ]);
      const expected = what.includes("only short") ? undefined : CloseCode.protocol;
      assert.equal(decode(bytes).error?.code, expected);
      assert.equal(decode(bytes, 1).error?.code, expected);
    });
  }

  it("the decoder waits for the rest of a truncated frame, and reports nothing of it", () => {
    for (const [frame, hex] of GOLDEN) {
      const bytes = Buffer.from(hex, "hex");
      for (let length = 1; length < bytes.length; length++) {
        const { found, error } = decode(bytes.subarray(0, length));
        assert.deepEqual([found.frames, error], [[], undefined], `${frame.type}, ${length} bytes`);
      }
    }
  });

  it("an error of the sink ends the decoding", () => {
    const wrong = { code: CloseCode.finalSize, reason: "" };
    let calls = 0;
    const error = new FrameDecoder().decode(Buffer.from("040404", "hex"), {
      handleFrame: () => (++calls === 2 ? wrong : undefined),
      handleData: () => undefined,
    });
    assert.deepEqual([error, calls], [wrong, 2]);
  });

  it("on garbage the decoder never throws, and keeps few bytes", () => {
    const random = new Random(7);
    for (let n = 0; n < 100_000; n++) fuzz(random, n);
  });
});

function fuzz(random: Random, n: number): void {
  const bytes = Buffer.allocUnsafe(random.integer(1, 40));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.integer(0, 255);
  // Half of the inputs begin like a frame; otherwise all would end at their first byte.
  if (random.chance(0.5)) bytes[0] = random.pick(Object.values(FrameType));
  const at = random.integer(0, bytes.length);
  const found = new Collector();
  const decoder = new FrameDecoder();
  const error = decoder.decode(bytes.subarray(0, at), found) ?? decoder.decode(bytes.subarray(at), found);
  const again = decode(bytes, 1);
  assert.deepEqual(
    [found.frames, error?.code],
    [again.found.frames, again.error?.code],
    `seed 7, input ${n}`,
  );
}
