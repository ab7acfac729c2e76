import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import type { SessionDriver } from "../session/session-driver.ts";
import { Flow } from "./flow.ts";

/** An application that takes one write each time it is asked to. */
class SlowSocket extends Duplex {
  taken = 0;
  #take: (() => void) | undefined;

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken += bytes.length;
    this.#take = done;
  }

  override _read(): void {}

  takeOne(): void {
    const take = this.#take;
    this.#take = undefined;
    take?.();
  }
}

test("bytes that come one by one for an application that takes none wait in the stream, not in as many writes", async () => {
  let ready = 0;
  let consumed = 0;
  const session = {
    stream: () => undefined,
    read: () => {
      const length = ready;
      ready = 0;
      return { pieces: length > 0 ? [Buffer.alloc(length)] : [], length, end: false };
    },
  };
  const consume = (_stream: number, bytes: number): void => void (consumed += bytes);
  const socket = new SlowSocket();
  const driver = { name: "test", session, consume } as unknown as SessionDriver;
  const request = {
    kind: "socks",
    destination: { host: "", port: 0 },
    source: { host: "", port: 0 },
  } as const;
  const flow = new Flow(driver, 0, request, socket as unknown as Socket);
  for (let n = 0; n < 1_000; n++) {
    ready++;
    flow.handleReadable();
  }
  assert.deepEqual([ready, socket.writableLength], [984, 16]);
  for (let n = 0; n < 17; n++) {
    socket.takeOne();
    await new Promise(setImmediate);
  }
  assert.deepEqual([ready, consumed, socket.taken], [0, 1_000, 1_000]);
});
