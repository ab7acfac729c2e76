/**
 * Resolves names without threads. getaddrinfo(3) keeps a thread of libuv's pool for as long as a name server is silent,
 * so some forty silent names would hold up all others.
 */

import type { LookupAddress } from "node:dns";
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { localAddresses } from "@hawser/linux-sockets";
import { ChangingFile } from "./changing-file.ts";
import { HostsFile } from "./hosts-file.ts";

/**
 * How long each name server has for an answer at first and at most, milliseconds, and how often it is asked. c-ares
 * waits for less where the server has answered quickly. A silent name is given up after 5 to 11 s with one server, and
 * within a dial's time with two.
 */
const PATIENCE = { timeout: 2_000, maxTimeout: 3_000, tries: 4 };
/** The most names under way at a time. Each takes two queries, and 16 bits tell queries apart. */
const MAX_UNDER_WAY = 1_024;

/**
 * The codes are those of getaddrinfo(3) and connect(2): ENOTFOUND; EAI_AGAIN for no answer; ENOBUFS for too many names.
 */
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
  /** Name servers, as `HOST:PORT`, that replace those in resolv.conf(5). */
  readonly servers?: readonly string[];
  readonly patience?: typeof PATIENCE;
}

/**
 * Asks the hosts file, then the name servers of resolv.conf(5). Its `search` is ignored, since names from homes are
 * whole. Each peer has a resolver of its own, so that no peer waits for another's names.
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
    // RFC 6761, section 6.3: no name server is asked for these names.
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
    // The constructor reads resolv.conf.
    const resolver = new Resolver(this.#patience);
    if (this.#servers) resolver.setServers(this.#servers);
    return resolver;
  }
}

/**
 * The name in the spelling of name servers and of the hosts file: ASCII, lower case, no final dot. A text that
 * inet_aton(3) takes for an address, such as `127.1`, becomes that address. An impossible name becomes an empty text.
 */
function canonicalName(host: string): string {
  return domainToASCII(host).replace(/\.$/, "");
}

function withFamily(address: string): LookupAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}

/** IPv6 comes first where this machine has it. Without it only IPv4 addresses are worth trying. */
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

/** Either both queries say that there is no such address, or some server gave no answer. */
function whyNone(name: string, answers: readonly PromiseSettledResult<unknown>[]): NameError {
  const codes = answers.map((answer) => (answer as PromiseRejectedResult).reason?.code as string);
  const unanswered = codes.find((code) => !["ENOTFOUND", "ENODATA", "EBADNAME"].includes(code));
  if (unanswered === undefined) return new NameError("ENOTFOUND", `${name} does not resolve`);
  return new NameError("EAI_AGAIN", `${name} does not resolve now: the name servers say ${unanswered}`);
}
