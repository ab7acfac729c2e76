import assert from "node:assert/strict";
import { Socket } from "node:net";
import { mock, test } from "node:test";
import type { Logger } from "@hawser/gateway-kit";
import { createLogger, Refusals, type SessionDriver, type StreamHandler } from "@hawser/gateway-kit";
import { StreamCode } from "@hawser/shared-protocol";
import type { SessionKeeper } from "../session-keeper.ts";
import { FairShare } from "./fair-share.ts";
import { ANSWER_DEADLINE_MS, FlowOpener } from "./flow-opener.ts";

/** An opener. The test calls its streams' handlers. */
function openerWith(logger: Logger): { opener: FlowOpener; handlers: StreamHandler[]; resets: StreamCode[] } {
  const handlers: StreamHandler[] = [];
  const resets: StreamCode[] = [];
  const driver = {
    name: "test",
    session: { stream: () => undefined },
    open: () => handlers.length,
    adopt: (_: number, handler: StreamHandler) => void handlers.push(handler),
    reset: (_: number, code: StreamCode) => void resets.push(code),
  } as unknown as SessionDriver;
  const share = new FairShare({ room: 100, isMemoryShort: () => false, onGreedy: () => {} });
  const opener = new FlowOpener({ driver } as SessionKeeper, share, new Refusals(logger), logger);
  return { opener, handlers, resets };
}

test("a flow that the remote gateway does not answer is refused at the deadline; an open flow has no deadline", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const { opener, handlers, resets } = openerWith(logger);
  const refused: StreamCode[] = [];
  for (let i = 0; i < 2; i++)
    opener.open("redirect", { host: "192.0.2.1", port: 80 }, new Socket(), {
      onReset: (code) => refused.push(code) > 0,
    });
  handlers[0]?.handleOpened({ host: "", port: 0 });
  mock.timers.tick(ANSWER_DEADLINE_MS - 1);
  assert.deepEqual(refused, []);
  mock.timers.tick(10 * ANSWER_DEADLINE_MS);
  assert.deepEqual([refused, resets, opener.flows.size], [[StreamCode.timeout], [StreamCode.timeout], 1]);
  mock.timers.reset();
});

test("a flood of flows that fail writes some lines of each kind, then one with the number of the rest", () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger({ role: "local", name: "test", level: "info", destination: { write } });
  const { opener, handlers } = openerWith(logger);
  for (let i = 0; i < 7_000; i++) {
    const flow = opener.open("redirect", { host: "192.0.2.1", port: 80 }, new Socket(), {
      onReset: () => true,
    });
    assert.equal(typeof flow, "object");
    handlers.at(-1)?.handleReset(i % 7 === 0 ? StreamCode.refused : StreamCode.timeout);
  }
  assert.equal(opener.flows.size, 0);
  const of = (reason: string) => lines.filter((line) => line.reason === reason).length;
  assert.deepEqual([lines.length, of("refused"), of("timeout")], [6, 3, 3]);
  mock.timers.tick(10_000);
  assert.deepEqual(
    lines.slice(6).map(({ kind, more }) => [kind, more]),
    [
      ["redirect refused", 997],
      ["redirect timeout", 5_997],
    ],
  );
  mock.timers.reset();
});
