import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLogger, type PathRecord } from "@hawser/gateway-kit";
import { EventLog } from "@hawser/status-api";
import type { Path } from "../paths/path.ts";
import { QuotaKeeper } from "./quota-keeper.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });

/** A path with a quota. It says what its line has carried, and counts how often it was asked. */
class FakePath {
  readonly name = "lte";
  readonly config = {
    name: this.name,
    subflows: 1,
    quota: { bytes: 1e9, resetDay: 1, count: "both", whenReached: "disabled" },
  };
  bytes = 0;
  looks = 0;
  readonly allowances: number[] = [];

  readonly record = Object.defineProperties({} as PathRecord, {
    lineBytes: { get: () => (this.looks++, this.#carried) },
    frameBytes: { get: () => this.#carried },
  });

  get #carried() {
    return { sent: this.bytes, received: 0, reinjected: 0 };
  }

  setQuota(): void {}
  enforceRole(): void {}
  setAllowance({ send }: { send: number }): void {
    this.allowances.push(send);
  }
}

test("a busy line is counted ten times a second, an idle one once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-quota-"));
  t.after(() => rmSync(folder, { recursive: true }));
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const keeper = new QuotaKeeper(folder, logger, new EventLog(), "home");
  const path = new FakePath();
  await keeper.follow([path as unknown as Path]);
  /** Plays `count` turns, 10 ms apart, with `bytes` bytes each. Returns how often the line was counted meanwhile. */
  const turns = (count: number, bytes: number): number => {
    const before = path.looks;
    for (let n = 0; n < count; n++) {
      path.bytes += bytes;
      keeper.handleTurn();
      t.mock.timers.tick(10);
    }
    return path.looks - before;
  };
  assert.equal(turns(1_000, 1), 10);
  const busy = turns(1_000, 10_000);
  assert.ok(busy >= 90 && busy <= 110, `${busy} looks in ten seconds`);
  assert.ok((path.allowances.at(-1) ?? 0) < 0.25 * 9.9e8, "what is left is shared out anew");
  turns(20, 0);
  assert.equal(turns(1_000, 1), 10);
  await keeper.stop();
  assert.equal(turns(1_000, 10_000), 0);
});
