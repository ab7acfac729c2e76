/** Where a pairing line says that this gateway is. */

import {
  CodedError,
  type Endpoint,
  ErrorCode,
  formatEndpoint,
  isWildcardHost,
  type LocalAddress,
  localAddresses,
} from "@hawser/shared-protocol/node";
import { whyNotPublic } from "./authorization/public-addresses.ts";
import type { RemoteFile } from "./config.ts";

type Written = Pick<RemoteFile, "listen" | "advertise">;

/** Addresses that are named at most: a local gateway tries one after another. */
const MAX_GUESSED = 4;

/**
 * What is written or, for a gateway that listens on every address, the public addresses of its machine.
 * @throws CodedError NOT_ADVERTISED; `file` is what it calls the configuration
 */
export function advertised(
  file: string,
  written: Written,
  addresses = localAddresses(),
): readonly Endpoint[] {
  const said = writtenReach(written);
  const endpoints = said.length > 0 ? said : guessedReach(written, addresses);
  if (endpoints.length > 0) return endpoints;
  throw new CodedError(ErrorCode.notAdvertised, `${file}: ${howToAdvertise(written)}`);
}

/** What whoever pairs should know: where the pairing line's addresses come from, if nobody wrote them, or that there are none. */
export function noteOnReach(written: Written, addresses = localAddresses()): string | undefined {
  if (writtenReach(written).length > 0) return undefined;
  const guessed = guessedReach(written, addresses);
  if (guessed.length === 0) return howToAdvertise(written);
  const names = guessed.map(formatEndpoint);
  return (
    `pairing lines name ${names.join(" and ")}, this machine's public ${names.length > 1 ? "addresses" : "address"}; ` +
    `if others reach it elsewhere, write that: advertise = [${JSON.stringify(names[0])}]`
  );
}

function writtenReach({ advertise, listen }: Written): readonly Endpoint[] {
  if (advertise.length > 0) return advertise;
  return listen.filter(({ host, port }) => !isWildcardHost(host) && port !== 0);
}

/** 0.0.0.0 is of IPv4 alone, [::] of both. */
function guessedReach({ listen }: Written, addresses: readonly LocalAddress[]): Endpoint[] {
  const open = listen.filter(({ host, port }) => isWildcardHost(host) && port !== 0);
  // An address of its own may be on the loopback interface.
  return addresses
    .filter(({ address }) => whyNotPublic(address) === undefined)
    .flatMap(({ address, family }) => {
      const found = open.find(({ host }) => family === 4 || host.includes(":"));
      return found ? [{ host: address, port: found.port }] : [];
    })
    .slice(0, MAX_GUESSED);
}

function howToAdvertise({ listen }: Written): string {
  const example = JSON.stringify(formatEndpoint({ host: "vps.example", port: listen[0]?.port || 4433 }));
  return (
    'advertise: is needed for a pairing line, since "listen" is every address or any port, and none of this ' +
    `machine's is public; add the one that the Internet reaches, such as: advertise = [${example}] ` +
    "(init --advertise writes it)"
  );
}
