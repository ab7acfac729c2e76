import assert from "node:assert/strict";
import { test } from "node:test";
import { type HelloFrame, MAX_SUBFLOWS } from "@hawser/shared-protocol";
import type { PeerKey } from "./peer-keys.ts";
import { MORE_PATHS, Places } from "./places.ts";

type Living = Parameters<Places["whyNone"]>[1];
const KEY = {} as PeerKey;

/** A session's places, and which of its subflows are connected. */
class Session {
  readonly places = new Places();
  readonly living = new Map<number, { readonly subflow: { readonly path: string } }>();

  join(path: string, index: number, subflow: number): string | undefined {
    const living = this.living as unknown as Living;
    const hello = { path, index, subflow } as HelloFrame;
    const why = this.places.whyNone(hello, living);
    if (why !== undefined) return why;
    const before = this.places.before(hello);
    if (before) this.living.delete(before.subflow);
    this.living.set(subflow, { subflow: { path } });
    this.places.take(hello, KEY, living);
    return undefined;
  }
}

test("a session has places for 64 subflows, and for 16 more that are the first of their path", () => {
  const session = new Session();
  let subflow = 0;
  for (; subflow < MAX_SUBFLOWS; subflow++) assert.equal(session.join("a", subflow, subflow), undefined);
  assert.match(session.join("a", subflow, subflow) ?? "", /too many subflows/);
  for (let n = 0; n < MORE_PATHS; n++) assert.equal(session.join(`b${n}`, 0, ++subflow), undefined);
  assert.match(session.join("c", 0, ++subflow) ?? "", /too many subflows/);
  assert.match(session.join("b0", 1, ++subflow) ?? "", /too many subflows/);
  assert.equal(
    session.join("a", 0, ++subflow),
    undefined,
    "one that is dialled anew has its predecessor's place",
  );
});

test("the places of ended paths are free again, so a session may use any number of path names over its life", () => {
  const session = new Session();
  for (let n = 0; n < 1_000; n++) {
    assert.equal(session.join(`path${n}`, 0, n), undefined, `name ${n}`);
    session.living.delete(n);
  }
});

test("an attempt that is older than the latest one finds no place, even when the latest one has ended", () => {
  const session = new Session();
  session.join("a", 0, 5);
  assert.match(session.join("a", 1, 5) ?? "", /has joined already/);
  session.living.delete(5);
  assert.match(session.join("a", 0, 4) ?? "", /subflow 5 was dialled later/);
});
