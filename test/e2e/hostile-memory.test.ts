/** A peer that wants the remote gateway to hold more than its `max_bytes_in_flight`: the real program, on loopback. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { addPeer, initConfig } from "@hawser/gateway-remote/testing";
import {
  type Frame,
  FrameDecoder,
  FrameEncoder,
  type Pairing,
  PROTOCOL_VERSION,
  parsePairing,
  StreamCode,
} from "@hawser/shared-protocol";
import { clientTls, joinSession } from "@hawser/subflow-transport";
import { freePort } from "../demo/forwarder.ts";
import { residentBytes } from "../lab/hawser.ts";
import { commandFile } from "./support.ts";

const MIB = 2 ** 20;
const HOST = "127.0.0.1";
const WINDOW = 65_536;
/** The length of a TLS record (RFC 8446, section 5.1). Frames of one record lie in one buffer. */
const RECORD = 16_384;
const CAP = 64 * MIB;
/** So many streams that their windows together are half as much again as CAP. */
const STREAMS = (1.5 * CAP) / WINDOW;
/**
 * `MOST`: resident memory for each byte that is allowed. `SLACK`: what the program takes for this much traffic,
 * whatever it holds; it depends on when garbage is collected (12 attacks took 98 to 128 MiB). A program that kept whole
 * records would take three times CAP.
 */
const [MOST, SLACK] = [1.3, 64 * MIB];

const encoder = new FrameEncoder();
const PAYLOAD = Buffer.alloc(WINDOW, 7);

/** A DATA frame with any bytes. */
function data(stream: number, offset: number, length: number): Buffer {
  encoder.appendData(stream, offset, PAYLOAD.subarray(0, length));
  return Buffer.concat(encoder.take());
}

/** One record with a piece that the gateway keeps, and in the same buffer bytes that have come before. */
function pinning(stream: number, offset: number, length: number): Buffer {
  const kept = data(stream, offset, length);
  const header = data(0, 0, RECORD - kept.length).length - (RECORD - kept.length);
  return Buffer.concat([kept, data(0, 0, RECORD - kept.length - header)]);
}

/** Parts of a window that begin at 1. The byte at 0 never comes. */
function* parts(length: number, gap: number): Generator<readonly [offset: number, length: number]> {
  for (let offset = 1; offset + length <= WINDOW; offset += length + gap) yield [offset, length];
}

/** The writes that fill one stream's window, each of one record. */
const ATTACKS: Readonly<Record<string, (stream: number) => Iterable<Buffer>>> = {
  "each piece with twice its size in the same buffer": function* (stream) {
    for (const [offset, length] of parts(5_000, 0)) yield pinning(stream, offset, length);
  },
  "pieces of 100 bytes in a row": function* (stream) {
    for (const [start, whole] of parts(9_000, 0)) {
      const pieces = Array.from({ length: whole / 100 }, (_, n) => data(stream, start + 100 * n, 100));
      yield Buffer.concat(pieces);
    }
  },
  "as many gaps as are free": function* (stream) {
    for (const [offset, length] of parts(4_000, 90)) {
      // The window grows once more after its first bytes.
      yield Buffer.concat([
        data(stream, offset, length - 3_000),
        data(stream, offset + length - 3_000, 3_000),
      ]);
    }
  },
};

/** A peer's connection that can send any frames. */
class Peer {
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Frame[] = [];
  #payload = 0;
  #sent = 0;
  #received = 0;
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket
      .on("error", () => {})
      .on("data", (bytes: Buffer) => this.#handle(bytes))
      .once("close", () => this.#wake());
  }

  static async join({ name, psk, endpoints: [endpoint] }: Pairing): Promise<Peer> {
    const raw = connect(endpoint as { host: string; port: number });
    await once(raw, "connect");
    const socket = await clientTls(raw, { identity: name, psk: psk.reveal(), servername: "hawser.invalid" });
    const place = { path: "dsl", index: 0, role: "active", subflow: 0 } as const;
    await joinSession(socket, {
      type: "hello",
      version: PROTOCOL_VERSION,
      session: randomBytes(16),
      resume: false,
      ...place,
    });
    return new Peer(socket.resume());
  }

  #handle(bytes: Buffer): void {
    this.#received += bytes.length;
    let isOwed = false;
    this.#decoder.decode(bytes, {
      handleFrame: (frame) => {
        this.#frames.push(frame);
        if (frame.type !== "ack") isOwed = true;
        return undefined;
      },
      handleData: (_stream, _offset, piece) => {
        this.#payload += piece.length;
        isOwed = true;
        return undefined;
      },
    });
    // Without ACKs the connection would count as dead.
    if (isOwed) void this.sendFrame({ type: "ack", received: this.#received, delay: 0, time: 0 });
    this.#wake();
  }

  async send(bytes: Buffer): Promise<void> {
    this.#sent += bytes.length;
    if (!this.#socket.write(bytes)) await once(this.#socket, "drain");
  }

  sendFrame(frame: Frame): Promise<void> {
    encoder.append(frame);
    return this.send(Buffer.concat(encoder.take()));
  }

  /** Waits until the gateway has read all bytes that were sent. */
  async whenRead(): Promise<void> {
    await this.sendFrame({ type: "ping" });
    const sent = this.#sent;
    await this.#until(() => this.#frames.some((frame) => frame.type === "ack" && frame.received >= sent));
  }

  async whenReset(stream: number): Promise<number> {
    const find = (): Frame | undefined =>
      this.#frames.find((frame) => frame.type === "reset" && frame.stream === stream);
    await this.#until(() => find() !== undefined);
    return (find() as Extract<Frame, { type: "reset" }>).code;
  }

  whenReceived(bytes: number): Promise<void> {
    return this.#until(() => this.#payload >= bytes);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      assert.ok(!this.#socket.destroyed, "the connection is closed");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe("the remote gateway's memory", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-memory-"));
  const file = join(folder, "remote.toml");
  let echo: Server;
  let pairings: Pairing[];
  let gateway: ChildProcess;
  before(async () => {
    echo = createServer((socket: Socket) => socket.pipe(socket)).listen(0, HOST);
    await once(echo, "listening");
    initConfig(file, { listen: { host: HOST, port: await freePort() }, advertise: [] });
    const lines = ["hostile", "honest"].map((name) => addPeer(file, name).line);
    pairings = lines.map((line) => {
      const pairing = parsePairing(line);
      assert.ok(pairing.ok);
      return pairing.value;
    });
    const text = readFileSync(file, "utf8").replace("127.0.0.1:8081", `${HOST}:${await freePort()}`);
    appendFileSync(join(folder, "peers/hostile.toml"), `max_bytes_in_flight = ${CAP}\n`);
    writeFileSync(file, `${text}\n[egress]\nallow = ["127.0.0.0/8"]\n`);
  });
  after(() => {
    echo.close();
    rmSync(folder, { recursive: true });
  });

  async function start(): Promise<void> {
    const env = { ...process.env, HAWSER_LOG_LEVEL: "info" };
    gateway = spawn(commandFile("hawser-remote"), ["run", "-c", file], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    for await (const line of createInterface({ input: gateway.stderr as NodeJS.ReadableStream }))
      if (line.includes('"listening"')) break;
    gateway.stderr?.resume();
  }

  for (const [what, fill] of Object.entries(ATTACKS)) {
    test(`${what}: the peer gets no more than it may have, and others go on`, async (t) => {
      await start();
      const [hostile, honest] = (await Promise.all(pairings.map((pairing) => Peer.join(pairing)))) as [
        Peer,
        Peer,
      ];
      try {
        const before = residentBytes(gateway);
        await hostile.send(data(0, 0, RECORD));
        for (let stream = 1; stream < STREAMS; stream++)
          for (const bytes of fill(stream)) await hostile.send(bytes);
        await hostile.whenRead();
        const added = residentBytes(gateway) - before;
        t.diagnostic(`${(added / MIB).toFixed(1)} MiB for ${CAP / MIB} MiB`);
        assert.ok(added < MOST * CAP + SLACK);
        // The first streams have given way to the last ones.
        for (const stream of [0, 1]) assert.equal(await hostile.whenReset(stream), StreamCode.overloaded);

        const destination = { host: HOST, port: (echo.address() as AddressInfo).port };
        await honest.sendFrame({
          type: "open",
          stream: 0,
          kind: "connect",
          destination,
          source: { host: "", port: 0 },
        });
        await honest.send(data(0, 0, 1_000));
        await honest.whenReceived(1_000);
      } finally {
        for (const peer of [hostile, honest]) peer.close();
        gateway.kill("SIGKILL");
        await once(gateway, "exit");
      }
    });
  }
});
