/**
 * What a megabyte costs, counted at both ends of a download: frames, buffers, writes, turns, events. CPU time says little on a
 * machine that others use; these counts are the same at every run, and each of them is CPU time. The bounds leave a tenth.
 */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { FrameDecoder, type FrameSink } from "@hawser/shared-protocol";
import { Bulk } from "./bulk.ts";
import type { Connection, Endpoint } from "./endpoint.ts";
import { type LineSpec, line } from "./network.ts";

const MEGABYTE = 1_048_576;
/** What the gateways read at once from an application's socket. */
const BUFFER = 65_536;

/** Counts of one end. */
interface Counts {
  /** DATA frames, and bytes in them. */
  data: number;
  payload: number;
  /** Frames with an entry in a ledger: all but ACKs. */
  recorded: number;
  acks: number;
  /** Gathered writes, and the buffers that they are made of. */
  writes: number;
  buffers: number;
  turns: number;
  /** How often the system was asked about a connection. */
  looks: number;
  events: number;
}

type PerMegabyte = Partial<Omit<Counts, "payload">>;

interface Expectation {
  readonly lines: readonly LineSpec[];
  /** Milliseconds that are counted, after as many that are not. */
  readonly ms: number;
  /**
   * Bytes of buffers that both engines make for a megabyte. The sender copies no payload. The receiver copies each byte once
   * here, as the simulator's segments are small views of large buffers; runs of small pieces are copied again as they grow.
   */
  readonly buffers: number;
  readonly sender: PerMegabyte;
  readonly receiver: PerMegabyte;
}

const EXPECTATIONS: Record<string, Expectation> = {
  "fast lines": {
    lines: [line("a", 500, 500, 5), line("b", 500, 500, 5)],
    ms: 500,
    buffers: 1_060_000,
    sender: {
      data: 16,
      recorded: 16.1,
      acks: 0.2,
      writes: 16.5,
      buffers: 35,
      turns: 12,
      looks: 24,
      events: 0.5,
    },
    receiver: { recorded: 0.2, acks: 8.7, writes: 8.7, buffers: 8.7, turns: 31, looks: 62, events: 29 },
  },
  "ADSL lines": {
    lines: [line("a", 8.41, 0.8, 12), line("b", 8.76, 0.8, 15)],
    ms: 5_000,
    buffers: 2_000_000,
    sender: {
      data: 211,
      recorded: 211,
      acks: 5.5,
      writes: 211,
      buffers: 422,
      turns: 344,
      looks: 689,
      events: 4.9,
    },
    receiver: {
      recorded: 5.5,
      acks: 133,
      writes: 133,
      buffers: 133,
      turns: 1_000,
      looks: 2_000,
      events: 435,
    },
  },
};

describe("a megabyte of a download costs no more than counted", () => {
  for (const [name, { lines, ms, buffers, sender, receiver }] of Object.entries(EXPECTATIONS)) {
    it(name, (t) => {
      const bulk = new Bulk(lines, "down", { piece: BUFFER });
      bulk.run(ms);
      const { local, remote } = bulk.network;
      const [sent, received] = [count(remote), count(local)];
      const made = countBuffers(() => bulk.run(ms));
      const megabytes = sent.payload / MEGABYTE;
      t.diagnostic(`${(made / megabytes).toFixed(0)} bytes of buffers made`);
      assert.ok(made / megabytes <= buffers, `${made / megabytes} bytes of buffers made per MB`);
      for (const [end, counts, most] of [
        ["sender", sent, sender],
        ["receiver", received, receiver],
      ] as const) {
        for (const key of Object.keys(most) as (keyof PerMegabyte)[]) {
          const perMegabyte = counts[key] / megabytes;
          t.diagnostic(`${end}: ${perMegabyte.toFixed(2)} ${key}`);
          assert.ok(perMegabyte <= (most[key] as number), `${end}: ${perMegabyte} ${key} per MB`);
        }
      }
    });
  }
});

/** Bytes of the buffers that are made in `run`, but for those that the application writes. */
function countBuffers(run: () => void): number {
  let bytes = 0;
  const make = Buffer.allocUnsafeSlow.bind(Buffer);
  const spy = mock.method(Buffer, "allocUnsafeSlow", (size: number) => {
    if (size !== BUFFER) bytes += size;
    return make(size);
  });
  run();
  spy.mock.restore();
  return bytes;
}

/** Counts what an end does from now on. */
function count(end: Endpoint): Counts {
  const counts: Counts = {
    data: 0,
    payload: 0,
    recorded: 0,
    acks: 0,
    writes: 0,
    buffers: 0,
    turns: 0,
    looks: 0,
    events: 0,
  };
  const { session } = end;
  const startTurn = session.startTurn.bind(session);
  const pollEvent = session.pollEvent.bind(session);
  session.startTurn = (now) => {
    counts.turns++;
    return startTurn(now);
  };
  session.pollEvent = () => {
    const event = pollEvent();
    if (event) counts.events++;
    return event;
  };
  for (const [id, connection] of end.connections) end.connections.set(id, counting(connection, counts));
  return counts;
}

function counting(connection: Connection, counts: Counts): Connection {
  const decoder = new FrameDecoder();
  const sink: FrameSink = {
    handleFrame: ({ type }) => {
      if (type === "ack") counts.acks++;
      else counts.recorded++;
      return undefined;
    },
    handleData: (_stream, _offset, { length }) => {
      counts.data++;
      counts.recorded++;
      counts.payload += length;
      return undefined;
    },
  };
  return {
    ...connection,
    look: () => {
      counts.looks++;
      return connection.look?.();
    },
    write: (parts) => {
      counts.writes++;
      counts.buffers += parts.length;
      // In one piece, so that each frame's payload comes in one piece.
      decoder.decode(Buffer.concat(parts), sink);
      connection.write(parts);
    },
  };
}
