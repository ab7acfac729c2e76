import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { PathRecord } from "@hawser/gateway-kit";
import type { Subflow } from "@hawser/multipath-engine";
import { HoldUpAccount, REST } from "@hawser/multipath-engine/testing";
import { StreamCode } from "@hawser/shared-protocol";
import { EventLog } from "./event-log.ts";
import { FlowFailures } from "./flow-failures.ts";
import { PathEvents } from "./path-events.ts";

const LINE = { sent: 0, received: 0 };

/** Only what a path's record looks at. */
function subflow(): { readonly liveness: { state: string } } & Subflow {
  const made = {
    liveness: { state: "probation" },
    holdUpAccount: new HoldUpAccount(),
    ledger: { sent: 0 },
    receipt: { bytes: 0 },
    reinjectedBytes: 0,
  };
  return made as unknown as { readonly liveness: { state: string } } & Subflow;
}

function typesOf(log: EventLog): string[] {
  return log.since().map(({ type, path = "" }) => `${type} ${path}`.trim());
}

test("a line's life, and that no line is left", () => {
  const log = new EventLog();
  const observer = new PathEvents(log, "home", "uploads");
  const [a, b] = ["a", "b"].map((name) => new PathRecord(name, "active", "configured", observer)) as [
    PathRecord,
    PathRecord,
  ];
  const [first, second] = [subflow(), subflow()];
  a.handleJoined(first, LINE);
  first.liveness.state = "up";
  a.noteState();
  first.liveness.state = "suspect";
  a.noteState();
  first.liveness.state = "up";
  a.noteState();
  b.handleFailure("no answer");
  b.handleFailure("still no answer");
  // One connection of two is lost; then the other.
  a.handleJoined(second, LINE);
  a.handleLost(first, "ECONNRESET", false);
  a.handleLost(second, "no progress", false);
  a.handleFailure("no answer");
  a.handleJoined(subflow(), LINE);
  b.setRole("disabled", "set through the API");
  b.setRole("active", "set through the API");
  assert.equal(b.state, "connecting");
  assert.deepEqual(typesOf(log), [
    "path-up a",
    "path-suspect a",
    "path-back a",
    "path-down b",
    "subflow-lost a",
    "path-down a",
    "peer-unreachable",
    "path-back a",
    "peer-reachable",
    "path-role b",
    "path-role b",
  ]);
  assert.equal(log.since()[5]?.message, "a is down: no progress");
  assert.equal(log.since()[9]?.message, "b is disabled now: set through the API");
});

test("a line that is disabled ends without a word, and comes into no use; the last one leaves the peer unreachable", () => {
  const log = new EventLog();
  const events = new PathEvents(log, "home", "uploads");
  const line = new PathRecord("a", "active", "configured", events);
  const other = new PathRecord("b", "active", "configured", events);
  const last = subflow();
  other.handleJoined(last, LINE);
  const both = [subflow(), subflow()];
  for (const each of both) line.handleJoined(each, LINE);
  line.setRole("disabled", "set through the API");
  line.noteUse({ top: Number.POSITIVE_INFINITY, before: 0, reason: "alone" });
  for (const each of both) line.handleLost(each, "the path was disabled", true);
  assert.deepEqual(typesOf(log), ["path-up b", "path-up a", "path-role a"]);
  other.setRole("disabled", "set through the API");
  other.handleLost(last, "the path was disabled", true);
  assert.deepEqual(typesOf(log).slice(3), ["path-role b", "peer-unreachable"]);
  assert.match(log.since().at(-1)?.message ?? "", /every line is disabled/);
});

test("a connection whose place another has taken ends without a word; one that is lost beside another does not", () => {
  const log = new EventLog();
  const line = new PathRecord("a", "active", "configured", new PathEvents(log, "home", "uploads"));
  const [first, second] = [subflow(), subflow()];
  line.handleJoined(first, LINE);
  line.handleJoined(second, LINE);
  line.handleLost(first, "ECONNRESET", true);
  assert.equal(line.lastError, undefined);
  line.handleJoined(subflow(), LINE);
  line.handleLost(second, "ETIMEDOUT", false);
  assert.equal(line.lastError, "ETIMEDOUT");
  assert.deepEqual(typesOf(log), ["path-up a", "subflow-lost a"]);
});

test("an overflow line comes into use and goes out of it: told with the reason, and only if it was in use", () => {
  const log = new EventLog();
  const lte = new PathRecord("lte", "overflow", "configured", new PathEvents(log, "home", "downloads"));
  lte.noteUse({ top: 0, before: 1, reason: "back" });
  assert.deepEqual(typesOf(log), []);
  lte.noteUse({ top: 1, before: 0, reason: "full", share: 0.968 });
  lte.noteUse({ top: 0, before: 1, reason: "calm", share: 0.41 });
  lte.noteUse({ top: 1, before: 0, reason: "alone" });
  lte.noteUse({ top: 0, before: 1, reason: "back" });
  assert.deepEqual(typesOf(log), ["path-in-use lte", "path-idle lte", "path-in-use lte", "path-idle lte"]);
  assert.deepEqual(
    log.since().map(({ message }) => message),
    [
      "lte is in use for downloads: the active lines were full 97 % of the time",
      "lte is idle for downloads: all together is 41 % of what the lines before it carry",
      "lte is in use for downloads: no line before it makes progress",
      "lte is idle for downloads: a line before it makes progress again",
    ],
  );
});

test("a line rests when all of its connections do: told with the reason and for how long, and when it is tried again", () => {
  const log = new EventLog();
  const path = new PathRecord("weak", "active", "configured", new PathEvents(log, "home", "downloads"));
  const [first, second] = [subflow(), subflow()];
  for (const each of [first, second]) path.handleJoined(each, LINE);
  const until = (): number | undefined => path.restsUntil?.getTime();
  const now = performance.now();
  first.holdUpAccount.rest(now);
  path.noteRest();
  assert.equal(until(), undefined);
  second.holdUpAccount.rest(now);
  path.noteRest();
  const left = (until() ?? 0) - Date.now();
  assert.ok(left > 0.9 * REST && left < 1.1 * REST, `${left} ms`);
  first.holdUpAccount.handleTime(now + REST);
  path.noteRest();
  assert.equal(until(), undefined);
  // The one that does not rest is lost; then the other, with which the rest is over, and of that the loss tells.
  path.handleLost(first, "ECONNRESET", false);
  assert.ok(until());
  path.handleLost(second, "ECONNRESET", false);
  assert.equal(until(), undefined);
  const seconds = REST / 1_000;
  const resting = `weak rests for ${seconds} s: it holds up more of the downloads than it carries; other lines carry them`;
  assert.deepEqual(
    log.since().flatMap(({ type, message }) => (/rest|tried/.test(type) ? [message] : [])),
    [resting, "weak is tried again for downloads", resting],
  );
});

test("flows that fail are counted, and told once a minute", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const log = new EventLog();
    const failures = new FlowFailures(log, "home");
    for (const code of [StreamCode.timeout, StreamCode.refused, StreamCode.refused, StreamCode.reset, 4711])
      failures.note(code);
    for (const reason of ["memory", "rate", "memory"]) failures.noteRefused(reason);
    mock.timers.tick(59_000);
    assert.deepEqual(log.since(), []);
    mock.timers.tick(1_000);
    failures.note(StreamCode.refused);
    mock.timers.tick(60_000);
    mock.timers.tick(600_000);
    assert.deepEqual(
      log.since().map(({ message }) => message),
      [
        "4 flows failed within a minute: 2 refused, 1 timeout, 1 other",
        "3 flows refused within a minute: 2 memory, 1 rate",
        "1 flow failed within a minute: 1 refused",
      ],
    );
  } finally {
    mock.timers.reset();
  }
});

test("a peer with any number of events pushes its own out, and no other's", () => {
  const log = new EventLog(100);
  log.add("session-opened", "first of home", { peer: "home" });
  log.add("path-up", "of the gateway itself");
  for (let i = 0; i < 1_000; i++) log.add("path-up", `${i}`, { peer: "evil" });
  log.add("path-up", "second of home", { peer: "home" });
  const kept = log.since();
  assert.equal(kept.length, 100);
  const others = kept.flatMap(({ peer, message }) => (peer === "evil" ? [] : [message]));
  assert.deepEqual(others, ["first of home", "of the gateway itself", "second of home"]);
  const evil = kept.filter(({ peer }) => peer === "evil").map(({ message }) => Number(message));
  assert.deepEqual(
    evil,
    Array.from({ length: 97 }, (_, i) => 903 + i),
  );
  assert.deepEqual(
    kept.map(({ id }) => id),
    kept.map(({ id }) => id).sort((a, b) => a - b),
  );
});
