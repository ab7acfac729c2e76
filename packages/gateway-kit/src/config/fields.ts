/** The kinds of value that configurations are made of, as zod types. */

import { type Parsed, parseEndpoint, parseListenEndpoint, parseName, problem } from "@hawser/shared-protocol";
import { TomlDate } from "smol-toml";
import { z } from "zod";
import { parseCidr } from "./cidr.ts";
import { parseInterface } from "./interface-name.ts";
import { parseRate } from "./rate.ts";
import { parseSize } from "./size.ts";

/** A string whose meaning `parse` knows. */
export function textField<T>(parse: (text: string) => Parsed<T>) {
  return z.string().transform((text, context): T => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: result.problem });
    return z.NEVER;
  });
}

/** Where others are reached: `HOST:PORT` or `[IPV6]:PORT`. */
export const endpointField = textField(parseEndpoint);
/** Where this program listens; port 0 lets the kernel choose. */
export const listenField = textField(parseListenEndpoint);
/** Several of these, or one: always a list. */
export const listenListField = z.union([
  listenField.transform((endpoint) => [endpoint]),
  z.array(listenField).min(1),
]);
/** A range of addresses, or one address. */
export const cidrField = textField(parseCidr);
/** A network interface, such as `ppp0`. */
export const interfaceField = textField(parseInterface);
/** The name of a peer or a path. */
export const nameField = textField(parseName);

/** A point in time: TOML's date and time with its zone. */
export const timeField = z
  .date()
  .refine((time) => !(time instanceof TomlDate && time.isLocal()), "needs a time zone, such as Z at its end");

/** Bytes: a whole number, or a text with a unit. At least `minimum` bytes. */
export function sizeField(minimum: number) {
  const text = textField((written) => {
    const size = parseSize(written);
    return size.ok && size.value < minimum ? problem(`must be at least ${minimum} bytes`) : size;
  });
  return z.union([z.int().min(minimum), text]);
}

/** Bits per second, from a text with a unit. At least `minimum`. */
export function rateField(minimum: number) {
  return textField((written) => {
    const rate = parseRate(written);
    return rate.ok && rate.value < minimum ? problem(`must be at least ${minimum} bit/s`) : rate;
  });
}

/** Limits of resources, which both gateways have. */
export const limitsField = z
  .strictObject({
    /** Buffers of all flows together, bytes. A flow's share of the home's line is a few MiB. */
    memory: sizeField(16 * 2 ** 20).default(256 * 2 ** 20),
    /** How long SIGTERM lets open flows finish, seconds. A `systemctl stop` waits for this. */
    drain_seconds: z.number().min(0).max(3600).default(10),
  })
  .prefault({})
  .transform(({ memory, drain_seconds }) => ({ memoryBytes: memory, drainSeconds: drain_seconds }));

/** For the array of tables of that name: no two with the same `key`. */
export function refuseDuplicates<K extends string>(array: string, key: K) {
  return (entries: readonly Readonly<Record<K, string>>[], context: z.RefinementCtx): void => {
    const seen = new Map<string, number>();
    for (const [i, entry] of entries.entries()) {
      const first = seen.get(entry[key]);
      if (first === undefined) seen.set(entry[key], i);
      else {
        const message = `${JSON.stringify(entry[key])} is the ${key} of an earlier one already (${array}[${first}])`;
        context.addIssue({ code: "custom", path: [i, key], message });
      }
    }
  };
}
