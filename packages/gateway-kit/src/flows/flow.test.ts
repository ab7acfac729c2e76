import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { StreamCode } from "@hawser/shared-protocol";
import type { SessionDriver } from "../session/session-driver.ts";
import { Flow, type FlowEvents } from "./flow.ts";

const REQUEST = { kind: "socks", destination: { host: "", port: 0 }, source: { host: "", port: 0 } } as const;

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
  const flow = new Flow(driver, 0, REQUEST, socket as unknown as Socket);
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

/** An application and its flow, with a session that notes what it is told. */
function flowOf(events: FlowEvents = {}): {
  flow: Flow;
  socket: Duplex & { resetAndDestroy(): void };
  told: string[];
  session: { ready: { pieces: Buffer[]; end: boolean } };
} {
  const told: string[] = [];
  const ready: { pieces: Buffer[]; end: boolean } = { pieces: [], end: false };
  const socket = Object.assign(
    new Duplex({ read() {}, write: (_bytes, _encoding, done) => done(), allowHalfOpen: true }),
    {
      resetAndDestroy(this: Duplex) {
        told.push("the application gets a reset");
        this.destroy();
      },
    },
  );
  const driver = {
    name: "test",
    session: {
      stream: () => undefined,
      read: () => {
        const { pieces, end } = ready;
        ready.pieces = [];
        return { pieces, length: pieces.reduce((sum, { length }) => sum + length, 0), end };
      },
    },
    write: (_stream: number, { length }: Buffer) => {
      told.push(`write ${length}`);
      return false;
    },
    consume: (_stream: number, bytes: number) => told.push(`consume ${bytes}`),
    end: () => told.push("end"),
    reset: (_stream: number, code: StreamCode) => told.push(`reset ${code}`),
    resetBehind: (_stream: number, code: StreamCode) => told.push(`reset behind ${code}`),
  } as unknown as SessionDriver;
  const flow = new Flow(driver, 0, REQUEST, socket as unknown as Socket, {
    ...events,
    onOver: () => told.push("over"),
  });
  return { flow, socket, told, session: { ready } };
}

const nextPhase = (): Promise<void> => new Promise(setImmediate);

test("a flow is over when both directions have ended, the application's last bytes included", async () => {
  const { flow, socket, told, session } = flowOf();
  socket.push(null);
  socket.resume();
  await nextPhase();
  assert.deepEqual(told.splice(0), ["end"]);
  session.ready.pieces = [Buffer.alloc(7), Buffer.alloc(3)];
  session.ready.end = true;
  flow.handleReadable();
  flow.handleClosed();
  assert.deepEqual(told, []);
  await nextPhase();
  assert.deepEqual(told, ["consume 10", "over"]);
  await nextPhase();
  assert.equal(told.length, 2);
});

test("an application's socket that breaks resets the stream behind what it wrote", async () => {
  const { flow, socket, told } = flowOf();
  assert.equal(flow.handleBytes(Buffer.alloc(5)), false);
  socket.destroy(new Error("ECONNRESET"));
  await nextPhase();
  assert.deepEqual(told, ["write 5", `reset behind ${StreamCode.reset}`, "over"]);
  // What still comes goes nowhere, and its buffer is given back.
  let released = 0;
  assert.equal(
    flow.handleBytes(Buffer.alloc(5), () => released++),
    true,
  );
  assert.deepEqual([released, told.length], [1, 3]);
});

test("a flow that is cut tells the peer why, and resets the application, once", async () => {
  const { flow, told } = flowOf();
  flow.abort(StreamCode.notAllowed);
  flow.abort(StreamCode.notAllowed);
  await nextPhase();
  assert.deepEqual(told, [`reset ${StreamCode.notAllowed}`, "over", "the application gets a reset"]);
});

test("a peer's refusal resets the application, unless its owner answers it", async () => {
  const plain = flowOf();
  plain.flow.handleReset(StreamCode.refused);
  const codes: StreamCode[] = [];
  const answered = flowOf({
    onReset: (code) => {
      codes.push(code);
      return true;
    },
  });
  answered.flow.handleReset(StreamCode.refused);
  await nextPhase();
  assert.deepEqual(plain.told, ["over", "the application gets a reset"]);
  assert.deepEqual([codes, answered.told], [[StreamCode.refused], ["over"]]);
});
