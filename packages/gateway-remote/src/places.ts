/**
 * The subflows of one session by path and index: a subflow that is dialled again takes its predecessor's place. Subflows
 * cost memory, descriptors and time even when they are idle, so there is room for a few lines with some each.
 */
import type { SessionDriver } from "@hawser/gateway-kit";
import { type HelloFrame, MAX_SUBFLOWS } from "@hawser/shared-protocol";
import type { PeerKey } from "./peer-keys.ts";

/** Beyond MAX_SUBFLOWS so many find room that are the first of their path: no line of an old gateway stays without any. */
export const MORE_PATHS = 16;
/** Of so many the latest number is remembered, those that have ended included: an attempt from before may come late. */
const MAX_REMEMBERED = 256;

/** The subflows that are connected, by number. */
type Living = SessionDriver["connections"];

interface Place {
  readonly subflow: number;
  readonly key: PeerKey;
}

export class Places {
  readonly #places = new Map<string, Place>();

  /** What has, or had last, the place that a HELLO asks for. */
  before(hello: HelloFrame): Place | undefined {
    return this.#places.get(nameOf(hello));
  }

  /** Why the subflow finds no place beside those that live; undefined when it has one. */
  whyNone(hello: HelloFrame, living: Living): string | undefined {
    const before = this.before(hello);
    if (living.has(hello.subflow)) return `subflow ${hello.subflow} has joined already`;
    if (before && before.subflow > hello.subflow) return `subflow ${before.subflow} was dialled later`;
    const isReplaced = before !== undefined && living.has(before.subflow);
    const isFirst = [...living.values()].every(({ subflow }) => subflow.path !== hello.path);
    const most = isFirst ? MAX_SUBFLOWS + MORE_PATHS : MAX_SUBFLOWS;
    return isReplaced || living.size < most ? undefined : `too many subflows: a session has ${MAX_SUBFLOWS}`;
  }

  /** The subflow has joined. */
  take(hello: HelloFrame, key: PeerKey, living: Living): void {
    const name = nameOf(hello);
    this.#places.delete(name);
    this.#places.set(name, { subflow: hello.subflow, key });
    if (this.#places.size <= MAX_REMEMBERED) return;
    for (const [each, { subflow }] of this.#places) {
      if (living.has(subflow)) continue;
      this.#places.delete(each);
      return;
    }
  }
}

function nameOf({ path, index }: HelloFrame): string {
  return `${path} ${index}`;
}
