import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buffers, FAST, rig, THIN } from "./testing.ts";

describe("what is written in a turn", () => {
  test("on a fast line leaves as one write, however many buffers it has", () => {
    const { connection, tls } = rig();
    const parts = Array.from({ length: 16 }, () => [9, FAST]).flat();
    connection.write(buffers(...parts));
    assert.equal(tls.writes.length, 1);
    assert.deepEqual(tls.writes.flat(), parts);
    assert.equal(connection.keyUse.records.sent, Math.ceil((16 * (9 + FAST)) / 16_384));
  });

  test("on a fast line counts as records of 16 KiB", () => {
    const { connection } = rig();
    for (const [length, records] of [
      [1, 1],
      [16_384, 2],
      [16_385, 4],
    ] as const) {
      connection.write(buffers(length));
      assert.equal(connection.keyUse.records.sent, records);
    }
  });

  test("on a thin line is one write for each chunk, with the small frames that ride along", () => {
    const { connection, tls } = rig(THIN);
    for (let n = 0; n < 3; n++) connection.write(buffers(12, 20, 9, 1_391));
    assert.deepEqual(tls.writes, [[1_432], [1_432], [1_432]]);
    assert.equal(connection.keyUse.records.sent, 3);
  });

  test("on a thin line is cut into records where a buffer ends, each as long as it may be", () => {
    const { connection, tls } = rig(THIN);
    connection.write(buffers(1_000, 433, 999, 1, 1_432, 1));
    assert.deepEqual(tls.writes, [[1_000], [1_432], [1], [1_432], [1]]);
  });

  test("a buffer that is longer than a record is written alone: it was made when the line was faster", () => {
    const { connection, tls } = rig(THIN);
    connection.write(buffers(10, 5_000, 10));
    assert.deepEqual(tls.writes, [[10], [5_000], [10]]);
  });

  test("that is nothing is no record", () => {
    for (const chunk of [THIN, FAST]) {
      const { connection, tls } = rig(chunk);
      connection.write([]);
      assert.deepEqual([tls.writes, connection.keyUse.records.sent], [[], 0]);
    }
  });

  test("stays apart on a thin line while TLS is busy, and is gathered on a fast one", () => {
    for (const [chunk, later] of [
      [THIN, [[1_400], [1_400], [1_400]]],
      [FAST, [[1_400, 1_400, 1_400]]],
    ] as const) {
      const { connection, tls } = rig(chunk);
      tls.isSlow = true;
      for (let n = 0; n < 4; n++) connection.write(buffers(1_400));
      assert.deepEqual(tls.writes, [[1_400]]);
      while (tls.writableLength > 0) tls.goOn();
      assert.deepEqual(tls.writes.slice(1), later);
    }
  });

  test("follows the line's chunk from turn to turn", () => {
    const { connection, line, tls } = rig(THIN);
    const write = (chunk: number): number[][] => {
      line.bytesOfChunk = chunk;
      connection.handleTurn(0);
      tls.writes.length = 0;
      connection.write(buffers(1_400, 1_400, 1_400, 1_400));
      return [...tls.writes];
    };
    assert.equal(write(THIN).length, 4);
    assert.deepEqual(write(2 * THIN), [[2_800], [2_800]]);
    assert.deepEqual(
      write(16_384 - 32),
      [[1_400, 1_400, 1_400, 1_400]],
      "a record of 16 KiB is as long as they get",
    );
    assert.equal(write(16_384 - 33).length, 1, "one byte less is one buffer of what fits");
    assert.equal(write(THIN).length, 4);
  });
});
