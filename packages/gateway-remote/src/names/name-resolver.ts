/**
 * Names to addresses, without threads: getaddrinfo(3) keeps a thread of libuv's pool for as long as a name server is
 * silent, and some forty silent names would hold up all others.
 */

import type { LookupAddress } from "node:dns";
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { localAddresses } from "@hawser/linux-sockets";
import { ChangingFile } from "./changing-file.ts";
import { HostsFile } from "./hosts-file.ts";

/**
 * How long each name server has for an answer at first and at most, milliseconds, and how often it is asked. c-ares takes
 * shorter times where the server has been quick: a silent name is given up after 5 to 11 s where there is one server,
 * within the time that a dial has where there are two.
 */
const PATIENCE = { timeout: 2_000, maxTimeout: 3_000, tries: 4 };
/** Names under way at a time. Each is two queries, and these are told apart by 16 bits. */
const MAX_UNDER_WAY = 1_024;

/** Codes are those of getaddrinfo(3) and connect(2): ENOTFOUND, EAI_AGAIN for no answer, ENOBUFS for too many names. */
export class NameError extends Error {
  readonly code: "ENOTFOUND" | "EAI_AGAIN" | "ENOBUFS";
  override readonly name = "NameError";

  constructor(code: NameError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export interface NameResolverOptions {
  readonly hosts?: HostsFile;
  /** `HOST:PORT` of name servers instead of those in resolv.conf(5). */
  readonly servers?: readonly string[];
  readonly patience?: typeof PATIENCE;
}

/**
 * Asks the hosts file, then the name servers of resolv.conf(5), whose `search` is left out: names are whole. Every peer
 * has one of its own, so that none waits for another's names.
 */
export class NameResolver {
  readonly #hosts: HostsFile;
  readonly #servers: readonly string[] | undefined;
  readonly #resolvConf = new ChangingFile("/etc/resolv.conf");
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  readonly #patience: typeof PATIENCE;
  #resolver: Resolver;

  constructor({ hosts = new HostsFile(), servers, patience = PATIENCE }: NameResolverOptions = {}) {
    this.#hosts = hosts;
    this.#servers = servers;
    this.#patience = patience;
    this.#resolver = this.#newResolver();
  }

  /** At least one address, in the order in which to try them. @throws NameError */
  async resolve(host: string): Promise<readonly LookupAddress[]> {
    const name = canonicalName(host);
    if (isIP(name) !== 0) return [withFamily(name)];
    if (name === "") throw new NameError("ENOTFOUND", `${host} is no name`);
    const own = this.#hosts.lookup(name);
    if (own.length > 0) return inOrder(own.map(withFamily));
    // RFC 6761, section 6.3: a name server is not asked for these.
    if (/(^|\.)localhost$/.test(name)) return inOrder(["::1", "127.0.0.1"].map(withFamily));
    const underWay = this.#underWay.get(name);
    if (underWay) return underWay;
    if (this.#underWay.size >= MAX_UNDER_WAY)
      throw new NameError("ENOBUFS", `${MAX_UNDER_WAY} other names are being resolved`);
    const asked = this.#ask(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, asked);
    return asked;
  }

  async #ask(name: string): Promise<readonly LookupAddress[]> {
    if (this.#resolvConf.hasChanged()) this.#resolver = this.#newResolver();
    const resolver = this.#resolver;
    const answers = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)]);
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (found.length > 0) return inOrder(found.map(withFamily));
    throw whyNone(name, answers);
  }

  #newResolver(): Resolver {
    // This reads resolv.conf.
    const resolver = new Resolver(this.#patience);
    if (this.#servers) resolver.setServers(this.#servers);
    return resolver;
  }
}

/**
 * As name servers and the hosts file have it: ASCII, lower case, without the final dot. What inet_aton(3) takes for an
 * address, such as `127.1`, comes as that address; what can be no name, empty.
 */
function canonicalName(host: string): string {
  return domainToASCII(host).replace(/\.$/, "");
}

function withFamily(address: string): LookupAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}

/** IPv6 first where this machine has it; where it has not, an IPv4 address is the only one worth trying. */
function inOrder(addresses: readonly LookupAddress[]): readonly LookupAddress[] {
  const four = addresses.filter(({ family }) => family === 4);
  const six = addresses.filter(({ family }) => family === 6);
  return four.length === 0 || hasIpv6() ? [...six, ...four] : four;
}

function hasIpv6(): boolean {
  return localAddresses().some(
    ({ family, internal, address }) => family === 6 && !internal && !address.startsWith("fe80:"),
  );
}

/** Both kinds of address are said not to be, or some server did not say. */
function whyNone(name: string, answers: readonly PromiseSettledResult<unknown>[]): NameError {
  const codes = answers.map((answer) => (answer as PromiseRejectedResult).reason?.code as string);
  const unanswered = codes.find((code) => !["ENOTFOUND", "ENODATA", "EBADNAME"].includes(code));
  if (unanswered === undefined) return new NameError("ENOTFOUND", `${name} does not resolve`);
  return new NameError("EAI_AGAIN", `${name} does not resolve now: the name servers say ${unanswered}`);
}
