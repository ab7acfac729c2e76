import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { CloseCode } from "@hawser/shared-protocol";
import { SubflowConnection } from "@hawser/subflow-transport";
import { socketPair } from "../testing/fake-socket.ts";
import { addLine, HANDLER, REQUEST, turnsOf, VirtualSession } from "../testing/virtual-session.ts";

const MEGABYTE = 1_048_576;
const BUFFER = Buffer.alloc(65_536);

let virtual: VirtualSession;
beforeEach(() => {
  virtual = new VirtualSession();
});
afterEach(() => virtual.end());

describe("turns", () => {
  it("are made once for all inputs and commands of one phase of the event loop", () => {
    const driver = virtual.driver("local");
    const socket = addLine(driver, 0);
    virtual.time.pass();
    const turns = turnsOf(driver);
    for (let n = 0; n < 1_000; n++) {
      socket.emit("data", Buffer.of(0x04));
      driver.write(0, Buffer.from("x"));
    }
    assert.equal(turns(), 0);
    virtual.time.settle();
    assert.equal(turns(), 1);
  });

  it("write all that a line is given as one gathered write", () => {
    const driver = virtual.driver("local");
    const socket = addLine(driver, 0);
    virtual.time.pass();
    socket.flush();
    const { writes } = socket;
    const streams = Array.from({ length: 20 }, () => driver.open(REQUEST) as number);
    for (const stream of streams) driver.write(stream, Buffer.alloc(300));
    virtual.time.pass();
    assert.ok(socket.writableLength > 20 * 300);
    assert.equal(socket.writes - writes, 1);
  });

  it("give a connection that takes no more nothing, and go on when it has drained", () => {
    const driver = virtual.driver("local");
    const socket = addLine(driver, 0);
    virtual.time.pass();
    socket.flush();
    const stream = driver.open(REQUEST) as number;
    socket.writableLength = 1e9;
    driver.write(stream, Buffer.alloc(1_000));
    virtual.time.pass(100);
    assert.equal(socket.flush().length, 0);
    driver.schedule();
    socket.emit("drain");
    virtual.time.pass();
    assert.ok(socket.writableLength > 1_000);
  });
});

describe("the timer", () => {
  it("is one for all deadlines, and none is left of a closed session", () => {
    const driver = virtual.driver("local");
    const sockets = Array.from({ length: 16 }, (_, id) => addLine(driver, id));
    virtual.time.pass();
    const turns = turnsOf(driver);
    const { timeouts } = virtual.time;
    // A second is as long as an idle local gateway waits before it pings.
    virtual.time.pass(5_000);
    for (const socket of sockets) assert.ok(socket.flush().length > 0);
    assert.ok(turns() <= 400, `${turns()} turns`);
    assert.ok(
      virtual.time.timeouts - timeouts <= turns(),
      `${virtual.time.timeouts - timeouts} timers in ${turns()} turns`,
    );
    driver.close(CloseCode.done, "");
    for (const socket of sockets) socket.destroy();
    virtual.time.pass();
    const after = turns();
    virtual.time.pass(300_000);
    assert.equal(turns() - after, 0);
  });

  it("does not wake an idle session for a deadline that has gone: for PINGs and answers alone", () => {
    const [local, remote] = [virtual.driver("local"), virtual.driver("remote")];
    const lines = [socketPair(), socketPair()];
    for (const [id, [near, far]] of lines.entries()) {
      addLine(local, id, near);
      addLine(remote, id, far);
    }
    const carry = (ms: number): void => {
      for (let i = 0; i < ms; i++) {
        for (const pair of lines) for (const socket of pair) socket.flush();
        virtual.time.pass();
      }
    };
    carry(3_000);
    const turns = turnsOf(local);
    // Once a second, as the gateway does: the PINGs go along.
    for (let second = 0; second < 10; second++) {
      local.schedule();
      carry(1_000);
    }
    assert.ok(turns() >= 18 && turns() <= 21, `${turns()} turns in ten seconds`);
  });

  it("looks again, not at once, at a line that is due and takes nothing", () => {
    const driver = virtual.driver("local");
    const socket = addLine(driver, 0);
    virtual.time.pass();
    socket.flush();
    socket.writableLength = 1e9;
    const turns = turnsOf(driver);
    virtual.time.pass(100);
    assert.ok(turns() <= 6, `${turns()} turns in 100 ms`);
  });
});

describe("a megabyte carried", () => {
  it("costs a bounded number of turns, looks, timers and writes at each end", (t) => {
    const [local, remote] = [virtual.driver("local"), virtual.driver("remote")];
    const lines = [socketPair(), socketPair()];
    for (const [id, [near, far]] of lines.entries()) {
      addLine(local, id, near);
      addLine(remote, id, far);
    }
    let received = 0;
    remote.adopt(0, {
      ...HANDLER,
      handleReadable: () => {
        const { length } = remote.session.read(0);
        received += length;
        remote.consume(0, length);
      },
    });
    const stream = local.open(REQUEST) as number;
    const fill = (): void => {
      while (local.write(stream, BUFFER));
    };
    local.adopt(stream, { ...HANDLER, handleWritable: fill });
    fill();
    // A megabyte comes every millisecond: a millisecond each way, and no bound but what the session puts under way.
    const carry = (ms: number): void => {
      for (let i = 0; i < ms; i++) {
        for (const pair of lines) for (const socket of pair) socket.flush();
        virtual.time.pass();
      }
    };
    carry(200);
    const before = received;
    const [sends, reads] = [turnsOf(local), turnsOf(remote)];
    const looks = mock.method(SubflowConnection.prototype, "look").mock;
    const { timeouts } = virtual.time;
    const writes = (): number => lines.reduce((sum, [near]) => sum + near.writes, 0);
    const written = writes();
    carry(200);
    const megabytes = (received - before) / MEGABYTE;
    const counts = {
      "turns of the sender": [sends(), 1.2],
      "turns of the receiver": [reads(), 1.3],
      "looks at a connection": [looks.callCount(), 4.6],
      timers: [virtual.time.timeouts - timeouts, 0.4],
      "writes of the sender": [writes() - written, 4.4],
    } as const;
    for (const [name, [count, most]] of Object.entries(counts)) {
      t.diagnostic(`${(count / megabytes).toFixed(2)} ${name}`);
      assert.ok(
        count / megabytes <= most,
        `${count / megabytes} ${name} in a megabyte, ${megabytes} of them`,
      );
    }
  });
});
