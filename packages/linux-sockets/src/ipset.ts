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

/** ipset's protocol: the oldest version that kernels still take. Linux 2.6.39 was the first with it. */
const PROTOCOL_VERSION = 6;
/** Of the type hash:ip,port. Revision 0 has all that is used here, but the `ipset` command no longer lists its sets. */
const REVISION = 1;
/** Errors that only ipset has. busy: a firewall rule uses the set. full: it holds `maxElements` entries. */
export const IpSetErrno = { busy: 4100, full: 4352 } as const;

export interface IpSet {
  readonly name: string;
  readonly family: "ipv4" | "ipv6";
  /** How long the kernel keeps an entry. */
  readonly timeoutSeconds: number;
  /** How many entries the set takes. */
  readonly maxElements: number;
}

export interface IpSetEntry {
  readonly address: string;
  readonly port: number;
}

/**
 * Sets of addresses and TCP ports in the kernel, whose entries expire (ipset(8), type hash:ip,port). Firewall rules match
 * against them. This class speaks to the kernel by netlink, as the `ipset` command does, which need not be installed. A
 * request has taken effect when its call returns; the promise tells whether it succeeded.
 */
export class IpSets {
  readonly #netlink = new NetlinkSocket({ protocol: NetlinkProtocol.netfilter });

  /** Makes the set, unless it exists. @throws SystemError EEXIST: a set of this name has other properties */
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

  /** Removes all entries. */
  flush(name: string): Promise<void> {
    return this.#request(Command.flush, 0, name);
  }

  /** Removes the set. A set that does not exist is no error. @throws SystemError `IpSetErrno.busy` */
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

  /** Adds the entry; one that exists begins its time anew. @throws SystemError `IpSetErrno.full`, ENOENT: no such set */
  add(name: string, entry: IpSetEntry): Promise<void> {
    return this.#request(Command.add, 0, name, [encodeEntry(entry)]);
  }

  /** Removes the entry. One that does not exist is no error. */
  delete(name: string, entry: IpSetEntry): Promise<void> {
    return this.#request(Command.delete, 0, name, [encodeEntry(entry)]);
  }

  close(): void {
    this.#netlink.close();
  }

  async #request(command: number, flags: number, name: string, more: readonly Buffer[] = []): Promise<void> {
    const body = [
      // struct nfgenmsg: family, version, resource. ipset takes the family from the attributes.
      Buffer.of(Sys.AF_INET, 0, 0, 0),
      attribute(Attribute.protocol, Buffer.of(PROTOCOL_VERSION)),
      attribute(Attribute.name, name),
      ...more,
    ];
    await this.#netlink.request(SUBSYSTEM | command, flags, Buffer.concat(body));
  }
}

/** @throws TypeError when the address is not an IP address */
function encodeEntry({ address, port }: IpSetEntry): Buffer {
  const bytes = parseIp(address);
  if (!bytes) throw new TypeError(`${address} is not an IP address`);
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
