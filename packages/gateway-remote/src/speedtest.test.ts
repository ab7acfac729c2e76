import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { SessionDriver, SpeedtestVerb } from "@hawser/gateway-kit";
import { StreamCode } from "@hawser/shared-protocol";
import { SpeedtestStream } from "./speedtest.ts";

for (const verb of ["echo", "down", "up"] satisfies SpeedtestVerb[]) {
  test(`a speed test's stream ends after a minute, whatever the local gateway does: ${verb}`, () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const resets: StreamCode[] = [];
    const driver = {
      adopt: () => {},
      accept: () => {},
      reset: (_: number, code: StreamCode) => void resets.push(code),
    } as unknown as SessionDriver;
    let over = 0;
    new SpeedtestStream(driver, 0, verb, () => over++);
    mock.timers.tick(59_999);
    assert.deepEqual([resets, over], [[], 0]);
    mock.timers.tick(1);
    assert.deepEqual([resets, over], [[StreamCode.timeout], 1]);
    mock.timers.reset();
  });
}
