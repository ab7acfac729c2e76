/** Values on the command line, for commander: each function parses one, and says what it takes when it is wrong. */

import { parseDuration, parseSize } from "@hawser/gateway-kit/config";
import {
  type Endpoint,
  type Parsed,
  parseEndpoint,
  parseHost,
  parseListenEndpoint,
} from "@hawser/shared-protocol";
import { InvalidArgumentError, Option } from "commander";

/** `HOST:PORT` */
export function endpointArgument(text: string): Endpoint {
  return valueOf(parseEndpoint(text));
}

/** `HOST:PORT` to listen on */
export function listenArgument(text: string): Endpoint {
  return valueOf(parseListenEndpoint(text));
}

/** An IP address or a name */
export function hostArgument(text: string): string {
  return valueOf(parseHost(text));
}

/** A TCP port */
export function portArgument(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return port;
}

/** A whole number, at least 1 */
export function countArgument(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It is a whole number from 1 on.");
  return Number(text);
}

/** Bytes, with or without a unit */
export function sizeArgument(text: string): number {
  return valueOf(parseSize(text));
}

/** A length of time, in milliseconds */
export function durationArgument(text: string): number {
  return valueOf(parseDuration(text));
}

/** An option that is a length of time, in milliseconds. `fallback` is its default, as a user writes it. */
export function durationOption(
  flags: string,
  text: string,
  fallback: string,
  parse: (text: string) => number = durationArgument,
): Option {
  return new Option(flags, text).argParser(parse).default(parse(fallback), fallback);
}

/** An option that may be given several times: all of its values */
export function collect<T>(parse: (text: string) => T) {
  return (text: string, before: readonly T[] = []): T[] => [...before, parse(text)];
}

function valueOf<T>(result: Parsed<T>): T {
  if (result.ok) return result.value;
  throw new InvalidArgumentError(`${result.problem}.`);
}
