/**
 * The places of one session's subflows, by path and index. A subflow that is dialled again takes its predecessor's
 * place. Idle subflows cost memory, descriptors and time, too, so there is room for a few lines with some subflows
 * each.
 */
import type { SessionDriver } from "@hawser/gateway-kit";
import { type HelloFrame, MAX_SUBFLOWS } from "@hawser/shared-protocol";
import type { PeerKey } from "./peer-keys.ts";

/**
 * Beyond MAX_SUBFLOWS there is room for this many subflows that are the first of their path, so that no line of an
 * older gateway is left without one.
 */
export const MORE_PATHS = 16;
/** How many places remember their latest number after their subflow has ended: an older attempt may come late. */
const MAX_REMEMBERED = 256;

/** The subflows that are connected, by number. */
type Living = SessionDriver["connections"];

interface Place {
  readonly subflow: number;
  readonly key: PeerKey;
}

export class Places {
  readonly #places = new Map<string, Place>();

  /** The subflow that has the place of this HELLO, or had it last. */
  before(hello: HelloFrame): Place | undefined {
    return this.#places.get(nameOf(hello));
  }

  /** Why there is no place for the subflow; undefined when there is one. */
  whyNone(hello: HelloFrame, living: Living): string | undefined {
    const before = this.before(hello);
    if (living.has(hello.subflow)) return `subflow ${hello.subflow} has joined already`;
    if (before && before.subflow > hello.subflow) return `subflow ${before.subflow} was dialled later`;
    const isReplaced = before !== undefined && living.has(before.subflow);
    const isFirst = [...living.values()].every(({ subflow }) => subflow.path !== hello.path);
    const most = isFirst ? MAX_SUBFLOWS + MORE_PATHS : MAX_SUBFLOWS;
    return isReplaced || living.size < most ? undefined : `too many subflows: a session has ${MAX_SUBFLOWS}`;
  }

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
