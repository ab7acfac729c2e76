import { isIPv6 } from "node:net";
import { parseIp } from "@hawser/shared-protocol";
import { Sys } from "./libc.ts";
import { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";
import { attribute, nestedAttribute, networkOrderAttribute } from "./netlink-attributes.ts";
import { NetlinkFlag } from "./netlink-message.ts";
import { SystemError } from "./system-error.ts";

/** NFNL_SUBSYS_IPSET of linux/netfilter/nfnetlink.h: the high byte of a message's type. */
const SUBSYSTEM = 6 << 8;
/** Numbers of linux/netfilter/ipset/ip_set.h. */
const Command = { create: 2, destroy: 3, flush: 4, add: 9, delete: 10, header: 12 } as const;
const Attribute = { protocol: 1, name: 2, type: 3, revision: 4, family: 5, data: 7 } as const;
const Data = { ip: 1, port: 4, timeout: 6, protocol: 7, maxElements: 19 } as const;
const Address = { ipv4: 1, ipv6: 2 } as const;

/** The oldest version that is still spoken: kernels from 2.6.39 on. */
const PROTOCOL_VERSION = 6;
/** All that is asked for is in the type's first revision, 0, which the `ipset` command does not show any more. */
const REVISION = 1;
/** Errors of ipset's own: a rule asks for the set; it is full. */
export const IpSetErrno = { busy: 4100, full: 4352 } as const;

export interface IpSet {
  readonly name: string;
  readonly family: "ipv4" | "ipv6";
  /** After so long an entry is gone. */
  readonly timeoutSeconds: number;
  /** With so many entries it takes no more. */
  readonly maxElements: number;
}

export interface IpSetEntry {
  readonly address: string;
  readonly port: number;
}

/**
 * Sets of addresses and TCP ports in the kernel that forget (ipset(8), type hash:ip,port), for firewall rules to match.
 * It is spoken to by netlink, as the `ipset` command does, and so it need not be installed. Requests take effect in the
 * order in which they are made, each before its call returns; the promise tells how it went.
 */
export class IpSets {
  readonly #netlink = new NetlinkSocket({ protocol: NetlinkProtocol.netfilter });

  /** Makes the set, unless it is there. @throws SystemError EEXIST: there is another set of this name */
  create({ name, family, timeoutSeconds, maxElements }: IpSet): Promise<void> {
    const limits = [
      networkOrderAttribute(Data.timeout, uint32(timeoutSeconds)),
      networkOrderAttribute(Data.maxElements, uint32(maxElements)),
    ];
    return this.#request(Command.create, NetlinkFlag.create, name, [
      attribute(Attribute.type, "hash:ip,port"),
      attribute(Attribute.revision, Buffer.of(REVISION)),
      attribute(Attribute.family, Buffer.of(family === "ipv4" ? Sys.AF_INET : Sys.AF_INET6)),
      nestedAttribute(Attribute.data, limits),
    ]);
  }

  flush(name: string): Promise<void> {
    return this.#request(Command.flush, 0, name);
  }

  /** Also when it is not there. @throws SystemError `IpSetErrno.busy` */
  destroy(name: string): Promise<void> {
    return this.#request(Command.destroy, 0, name);
  }

  async has(name: string): Promise<boolean> {
    try {
      await this.#request(Command.header, 0, name);
      return true;
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENOENT") return false;
      throw error;
    }
  }

  /** An entry that is there begins its time anew. @throws SystemError `IpSetErrno.full`, ENOENT */
  add(name: string, entry: IpSetEntry): Promise<void> {
    return this.#request(Command.add, 0, name, [encodeEntry(entry)]);
  }

  /** Also when it is not there. */
  delete(name: string, entry: IpSetEntry): Promise<void> {
    return this.#request(Command.delete, 0, name, [encodeEntry(entry)]);
  }

  close(): void {
    this.#netlink.close();
  }

  async #request(command: number, flags: number, name: string, more: readonly Buffer[] = []): Promise<void> {
    const body = [
      // struct nfgenmsg: family, version, resource. The family counts in what follows alone.
      Buffer.of(Sys.AF_INET, 0, 0, 0),
      attribute(Attribute.protocol, Buffer.of(PROTOCOL_VERSION)),
      attribute(Attribute.name, name),
      ...more,
    ];
    await this.#netlink.request(SUBSYSTEM | command, flags, Buffer.concat(body));
  }
}

/** @throws TypeError where the address is none */
function encodeEntry({ address, port }: IpSetEntry): Buffer {
  const bytes = parseIp(address);
  if (!bytes) throw new TypeError(`${address} is no IP address`);
  const kind = isIPv6(address) ? Address.ipv6 : Address.ipv4;
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return nestedAttribute(Attribute.data, [
    nestedAttribute(Data.ip, [networkOrderAttribute(kind, bytes)]),
    networkOrderAttribute(Data.port, portBytes),
    attribute(Data.protocol, Buffer.of(Sys.IPPROTO_TCP)),
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
