import assert from "node:assert/strict";
import { isContent } from "@hawser/multipath-engine/testing";
import { type Frame, FrameDecoder, type FrameSink, type WireError } from "@hawser/shared-protocol";
import type { Random } from "@hawser/shared-protocol/testing";
import { FrameType } from "@hawser/shared-protocol/testing";
import { type AnyFrame, anyFrame, cut, encode, mutate } from "./frames.ts";

/** What a decoder made of some bytes, in a form that does not depend on where they were cut. */
class Record implements FrameSink {
  readonly frames: Frame[] = [];
  /** Stream, offset, length of each run of payload. */
  readonly data: number[][] = [];
  isIntact = true;
  error: WireError | undefined;

  handleFrame(frame: Frame): undefined {
    this.frames.push(frame);
    this.data.push([]);
  }

  handleData(stream: number, offset: number, piece: Uint8Array): undefined {
    if (!isContent(stream, offset, piece)) this.isIntact = false;
    const last = this.data.at(-1);
    if (last && last[0] === stream && (last[1] as number) + (last[2] as number) === offset)
      last[2] = (last[2] as number) + piece.length;
    else this.data.push([stream, offset, piece.length]);
  }
}

function decode(pieces: readonly Uint8Array[]): Record {
  const decoder = new FrameDecoder();
  const record = new Record();
  for (const piece of pieces) {
    record.error = decoder.decode(piece, record);
    if (record.error) break;
  }
  return record;
}

function assertSame(one: Record, other: Record): void {
  assert.deepEqual([other.frames, other.data, other.error?.code], [one.frames, one.data, one.error?.code]);
}

/** Valid frames come out as they went in, wherever they are cut; others are an error or are waited for. */
export class DecoderGame {
  readonly #random: Random;
  frames = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  step(): void {
    const kind = this.#random.integer(0, 4);
    if (kind === 0) this.#valid();
    else if (kind === 1) this.#cutEverywhere();
    else if (kind === 2) this.#garbage();
    else this.#mutated();
  }

  #make(most: number): AnyFrame[] {
    const frames = Array.from({ length: this.#random.integer(1, most) }, () => anyFrame(this.#random));
    this.frames += frames.length;
    return frames;
  }

  #valid(): void {
    const frames = this.#make(12);
    const bytes = encode(frames);
    const whole = decode([bytes]);
    assert.deepEqual([whole.error, whole.isIntact], [undefined, true]);
    assert.deepEqual(
      whole.frames,
      frames.filter(({ type }) => type !== "data"),
    );
    const expected = frames
      .filter((frame) => frame.type === "data")
      .reduce((sum, { length }) => sum + length, 0);
    assert.equal(
      whole.data.reduce((sum, [, , length = 0]) => sum + length, 0),
      expected,
    );
    assertSame(whole, decode(cut(bytes, this.#random, 8)));
  }

  #cutEverywhere(): void {
    const bytes = encode(this.#make(1));
    const whole = decode([bytes]);
    // A long payload's middle is all alike.
    const step = bytes.length > 700 ? 97 : 1;
    for (let at = 1; at < bytes.length; at += step) {
      const parts = decode([bytes.subarray(0, at), bytes.subarray(at)]);
      assertSame(whole, parts);
      this.frames++;
    }
  }

  #mutated(): void {
    const bytes = mutate(encode(this.#make(6)), this.#random);
    assertSame(decode([bytes]), decode(cut(bytes, this.#random)));
  }

  #garbage(): void {
    const bytes = Buffer.alloc(this.#random.integer(1, 80));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#random.integer(0, 255);
    // Or most of them would end at their first byte.
    if (this.#random.chance(0.8)) bytes[0] = this.#random.pick(Object.values(FrameType));
    this.frames++;
    assertSame(decode([bytes]), decode(cut(bytes, this.#random)));
  }
}
