/** Where a pairing line says that this gateway is. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { localAddresses } from "@hawser/linux-sockets";
import { type Endpoint, formatEndpoint, isWildcardHost } from "@hawser/shared-protocol";
import { whyNotPublic } from "./authorization/public-addresses.ts";
import type { RemoteFile } from "./config.ts";

type Written = Pick<RemoteFile, "listen" | "advertise">;

export interface Reach {
  /** None: pairing is impossible, and the note says why. */
  readonly endpoints: readonly Endpoint[];
  /** Notes on these addresses for the user who pairs. */
  readonly note?: string;
}

/** The most addresses that are guessed: a local gateway tries one after another. */
const MAX_GUESSED = 4;

/**
 * The addresses that the configuration advertises, or those that it listens on. For a listener on every address they
 * are the public addresses of the machine.
 */
export function reachOf(written: Written, addresses = localAddresses().map(({ address }) => address)): Reach {
  const said = writtenReach(written);
  if (said.length > 0) return { endpoints: said };
  const endpoints = guessedReach(written, addresses);
  return { endpoints, note: endpoints.length > 0 ? aboutGuess(endpoints) : howToAdvertise(written) };
}

function writtenReach({ advertise, listen }: Written): readonly Endpoint[] {
  if (advertise.length > 0) return advertise;
  return listen.filter(({ host, port }) => !isWildcardHost(host) && port !== 0);
}

/** A listener on 0.0.0.0 has IPv4 addresses alone, one on [::] both kinds. */
function guessedReach({ listen }: Written, addresses: readonly string[]): Endpoint[] {
  const open = listen.filter(({ host, port }) => isWildcardHost(host) && port !== 0);
  return addresses
    .filter((address) => whyNotPublic(address) === undefined)
    .flatMap((host) => {
      const found = open.find((each) => !host.includes(":") || each.host.includes(":"));
      return found ? [{ host, port: found.port }] : [];
    })
    .slice(0, MAX_GUESSED);
}

function aboutGuess(endpoints: readonly Endpoint[]): string {
  const [what, names] = [endpoints.length > 1 ? "addresses" : "address", endpoints.map(formatEndpoint)];
  return `pairing lines name ${names.join(" and ")}, this machine's public ${what}; if it is reached elsewhere, ${example(endpoints)}`;
}

function howToAdvertise({ listen }: Written): string {
  const why =
    'advertise: is needed for a pairing line, since "listen" is any port, or every address of a machine that has no public one';
  return `${why}; ${example(listen)}`;
}

function example([first]: readonly Endpoint[]): string {
  const text = JSON.stringify(formatEndpoint({ host: "vps.example", port: first?.port || 4433 }));
  return `write where that is, such as: advertise = [${text}] (init --advertise writes it)`;
}

/** A warning for each name in `endpoints` that does not resolve now: homes will not find the gateway by it. */
export async function unresolvedNames(
  endpoints: readonly Endpoint[],
  resolve: (name: string) => Promise<unknown> = lookup,
): Promise<string[]> {
  const names = [...new Set(endpoints.map(({ host }) => host))].filter((host) => isIP(host) === 0);
  const outcomes = await Promise.allSettled(names.map((name) => resolve(name)));
  return names
    .filter((_, i) => outcomes[i]?.status === "rejected")
    .map((name) => `advertise: ${name} does not resolve: homes will not find this gateway until it does`);
}
