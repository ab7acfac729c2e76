import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CloseCode, StreamCode } from "@hawser/shared-protocol";
import { FakeSocket, socketPair } from "../testing/fake-socket.ts";
import { addLine, REQUEST, VirtualSession } from "../testing/virtual-session.ts";
import type { SessionDriver, SessionDriverOptions, SubflowChange } from "./session-driver.ts";
import type { StreamHandler } from "./stream-handlers.ts";

let virtual: VirtualSession;
beforeEach(() => {
  virtual = new VirtualSession();
});
afterEach(() => virtual.end());

describe("the end of a subflow", () => {
  function changesOf(side: "local" | "remote"): { driver: SessionDriver; changes: SubflowChange[] } {
    const changes: SubflowChange[] = [];
    const driver = virtual.driver(side, { onSubflow: (change) => changes.push(change) });
    return { driver, changes };
  }

  it("is told with its reason, and the path's record has it", () => {
    const { driver, changes } = changesOf("local");
    const socket = addLine(driver, 0);
    socket.emit("error", new Error("read ECONNRESET"));
    socket.destroy();
    const lost = { id: 0, path: "line0", state: "lost", reason: "read ECONNRESET", isMeant: false };
    assert.deepEqual(changes, [{ id: 0, path: "line0", state: "joined" }, lost]);
    const [record] = driver.paths;
    assert.deepEqual([record?.state, record?.reason, record?.subflows], ["down", "read ECONNRESET", 0]);
  });

  it("is no fault when another has taken its place, its path is disabled, or the session is over", () => {
    const { driver, changes } = changesOf("remote");
    const replaced = addLine(driver, 0);
    addLine(driver, 1, new FakeSocket(), { path: "line0", replaces: 0 });
    replaced.destroy();
    const disabled = addLine(driver, 2, new FakeSocket(), { role: "disabled" });
    disabled.destroy();
    driver.close(CloseCode.shutdown, "");
    virtual.time.settle();
    driver.connections.get(1)?.socket.destroy();
    const ends = changes.filter(({ state }) => state === "lost");
    assert.deepEqual(
      ends.map(({ id, isMeant }) => [id, isMeant]),
      [0, 2, 1].map((id) => [id, true]),
    );
  });

  it("writes CLOSE before it ends the connection, but cuts one that makes no progress", () => {
    const driver = virtual.driver("local");
    const [closed, silent] = [addLine(driver, 0), addLine(driver, 1)];
    virtual.time.pass();
    for (const socket of [closed, silent]) socket.flush();
    driver.closeSubflow(0, CloseCode.done, "no longer wanted");
    driver.closeSubflow(1, CloseCode.unresponsive, "no progress");
    virtual.time.settle();
    assert.ok(closed.ended && closed.flush().includes("no longer wanted"));
    assert.ok(silent.destroyed && silent.flush().length === 0);
  });

  it("lets whoever waits for the last one go on", async () => {
    const driver = virtual.driver("local");
    const sockets = [addLine(driver, 0), addLine(driver, 1)];
    let isOver = false;
    const over = driver.allClosed().then(() => (isOver = true));
    sockets[0]?.destroy();
    await Promise.resolve();
    assert.equal(isOver, false);
    sockets[1]?.destroy();
    await over;
    await driver.allClosed();
  });
});

describe("a stream's handler", () => {
  /** What a handler is told, by name. */
  function told(isOwn?: true): { calls: string[]; handler: StreamHandler } {
    const calls: string[] = [];
    const handler: StreamHandler = {
      ...(isOwn && { isOwn }),
      handleOpened: ({ host }) => calls.push(`opened ${host}`),
      handleReadable: () => calls.push("readable"),
      handleWritable: () => calls.push("writable"),
      handleReset: (code) => calls.push(`reset ${code}`),
      handleClosed: () => calls.push("closed"),
    };
    return { calls, handler };
  }

  function joined(options: Partial<SessionDriverOptions> = {}): {
    local: SessionDriver;
    remote: SessionDriver;
    carry: () => void;
  } {
    const [local, remote] = [virtual.driver("local", options), virtual.driver("remote")];
    const [near, far] = socketPair();
    addLine(local, 0, near);
    addLine(remote, 0, far);
    const carry = (): void => {
      for (let n = 0; n < 20; n++) {
        near.flush();
        far.flush();
        virtual.time.pass(10);
      }
    };
    return { local, remote, carry };
  }

  it("hears of its stream from the first answer to the last end", () => {
    const { local, remote, carry } = joined();
    const { calls, handler } = told();
    const stream = local.open(REQUEST) as number;
    local.adopt(stream, handler);
    carry();
    remote.accept(stream, { host: "192.0.2.9", port: 1 });
    remote.write(stream, Buffer.from("answer"));
    carry();
    assert.deepEqual(calls.splice(0), ["opened 192.0.2.9", "readable"]);
    for (const driver of [local, remote]) driver.end(stream);
    carry();
    for (const driver of [local, remote]) driver.consume(stream, driver.session.read(stream).length);
    carry();
    assert.deepEqual(calls, ["readable", "closed"]);
  });

  it("hears of the peer's reset, which counts as a failed flow unless the stream is the gateways' own", () => {
    const failed: StreamCode[] = [];
    const { local, remote, carry } = joined({ onFlowFailed: (code) => failed.push(code) });
    for (const [isOwn, expected] of [
      [undefined, [StreamCode.refused]],
      [true, []],
    ] as const) {
      const { calls, handler } = told(isOwn);
      const stream = local.open(REQUEST) as number;
      local.adopt(stream, handler);
      carry();
      remote.reset(stream, StreamCode.refused);
      carry();
      assert.deepEqual([calls, failed.splice(0)], [[`reset ${StreamCode.refused}`], expected]);
    }
  });

  it("hears nothing of a reset from its own side", () => {
    const failed: StreamCode[] = [];
    const { local, carry } = joined({ onFlowFailed: (code) => failed.push(code) });
    const { calls, handler } = told();
    const stream = local.open(REQUEST) as number;
    local.adopt(stream, handler);
    local.reset(stream, StreamCode.reset);
    carry();
    assert.deepEqual([calls, failed], [[], [StreamCode.reset]]);
  });
});

describe("a path", () => {
  it("shares its allowance among its subflows", () => {
    const driver = virtual.driver("local");
    const policy = { tier: 1, rate: 0, metered: false, rationed: true };
    for (const id of [0, 1]) addLine(driver, id, new FakeSocket(), { path: "lte", policy });
    driver.setAllowance("lte", { send: 1_000, receive: 2_000 });
    assert.deepEqual(
      [...driver.session.subflows].map(({ allowance }) => allowance),
      [500, 500],
    );
  });

  it("has the role that the peer gives it, and says who gave it", () => {
    const [local, remote] = [virtual.driver("local"), virtual.driver("remote")];
    const [near, far] = socketPair();
    addLine(local, 0, near);
    addLine(remote, 0, far);
    local.setPathRole("line0", "backup");
    virtual.time.pass();
    near.flush();
    virtual.time.pass();
    const [record] = remote.paths;
    assert.deepEqual([record?.role, record?.roleReason], ["backup", "told by the local gateway"]);
  });
});
