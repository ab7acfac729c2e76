/**
 * System calls that Node lacks, on Node's own sockets. Linux only.
 *
 * ```ts
 * const socket = createPinnedSocket({ family: 4, interface: "ppp0" });
 * socket.connect({ host: "192.0.2.9", port: 4433 });
 * const rtt = tcpInfo(socketFd(socket))?.rtt; // microseconds
 * ```
 */

export { hasIpv6 } from "./address-families.ts";
export { BufferPool } from "./buffers/buffer-pool.ts";
export { adoptAccepted, type PooledReaderOptions, pooledOnRead } from "./buffers/pooled-reader.ts";
export { hasCapability } from "./capabilities.ts";
export { interfaceIndex, isOwnAddress, type LocalAddress, localAddresses } from "./interfaces.ts";
export { IpSetErrno, IpSets } from "./ipset.ts";
export { libc, Sys } from "./libc.ts";
export { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";
export { watchNetwork } from "./network-watch.ts";
export { type RulesChange, watchNftables } from "./nftables-watch.ts";
export {
  acceptTls,
  onTlsError,
  setWritesApart,
  socketFd,
} from "./node-internals.ts";
export { originalDestination } from "./original-destination.ts";
export { createPinnedSocket, mayBindToDevice } from "./pinned-socket.ts";
export { checkPlatform, type PlatformFinding } from "./platform.ts";
export { type Route, readRoutes } from "./routes.ts";
export {
  getCongestion,
  type KeepAlive,
  setCongestion,
  setDiscardOnClose,
  setKeepAlive,
  setNotSentLowat,
  setUrgentInline,
  socketError,
} from "./socket-options.ts";
export { SPECIAL_RANGES } from "./special-ranges.ts";
export { errnoName, SystemError } from "./system-error.ts";
export { type TcpInfo, tcpInfo } from "./tcp-info.ts";
