import { isIP } from "node:net";
import type { LocalAddress } from "@hawser/linux-sockets";
import type { Endpoint } from "@hawser/shared-protocol";
import type { RemoteAddress, RemoteAddresses } from "../remote-addresses.ts";
import { DialError } from "./dial-error.ts";
import type { Link } from "./link-watch.ts";

/** One address of the remote gateway that a path can dial. */
export interface DialTarget extends RemoteAddress {
  readonly endpoint: Endpoint;
}

/**
 * The addresses that a path can dial, at least one. They follow the order of the pairing's endpoints and, within a
 * name, the resolver's order. Addresses of a family that the line has no address of are used only when there are no
 * others.
 * @throws Error when no endpoint resolves, or none has an address of the source's family
 */
export async function dialTargets(
  link: Link,
  endpoints: readonly Endpoint[],
  remote: RemoteAddresses,
  localAddresses: () => readonly LocalAddress[],
): Promise<readonly DialTarget[]> {
  const found = await findAll(endpoints, remote);
  if (link.source !== undefined) return ofFamily(found, link.source);
  const families = familiesOf(link, localAddresses());
  const fitting = found.filter(({ family }) => families.has(family));
  return fitting.length > 0 ? fitting : found;
}

/** @throws the first endpoint's error, when none resolves */
async function findAll(endpoints: readonly Endpoint[], remote: RemoteAddresses): Promise<DialTarget[]> {
  const answers = await Promise.allSettled(
    endpoints.map(async (endpoint) =>
      (await remote.find(endpoint.host)).map((address) => ({ ...address, endpoint })),
    ),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  const failure = answers.find((answer) => answer.status === "rejected");
  throw failure?.reason ?? new DialError("the remote gateway's name has no address");
}

function ofFamily(found: readonly DialTarget[], source: string): readonly DialTarget[] {
  const fitting = found.filter(({ family }) => family === isIP(source));
  if (fitting.length > 0) return fitting;
  const hosts = [...new Set(found.map(({ endpoint }) => endpoint.host))].join(", ");
  throw new DialError(`${hosts} has no IPv${isIP(source)} address, and path.source is ${source}`);
}

/** Link-local addresses do not count: from them no remote gateway is reached. */
function familiesOf(link: Link, addresses: readonly LocalAddress[]): ReadonlySet<number> {
  const own = addresses.filter((entry) => entry.interface === link.interface);
  return new Set(own.filter(({ address }) => !/^fe[89ab]/.test(address)).map(({ family }) => family));
}

/** The order in which targets are dialled: first the one that served last, then each of the others, then all again. */
export class TargetRotation {
  readonly #tried = new Set<string>();
  #served: string | undefined;

  pick(targets: readonly DialTarget[]): DialTarget {
    if (targets.every((target) => this.#tried.has(nameOf(target)))) this.#tried.clear();
    const left = targets.filter((target) => !this.#tried.has(nameOf(target)));
    const target = left.find((each) => nameOf(each) === this.#served) ?? left[0];
    if (!target) throw new RangeError("no target");
    this.#tried.add(nameOf(target));
    return target;
  }

  /** The line has worked over this target for a long time. */
  handleServed(target: DialTarget): void {
    this.#served = nameOf(target);
    this.restart();
  }

  restart(): void {
    this.#tried.clear();
  }
}

export function isSameTarget(one: DialTarget, other: DialTarget): boolean {
  return nameOf(one) === nameOf(other);
}

function nameOf({ address, endpoint }: DialTarget): string {
  return `${address} ${endpoint.port}`;
}
