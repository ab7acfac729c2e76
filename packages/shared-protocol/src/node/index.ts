export * from "./cli/index.ts";
export * from "./config/index.ts";
export { type ConfigWatch, type WatchHandlers, watchConfig } from "./config/watch.ts";
export { type Directory, makeDirectory, UnsafeNameError } from "./files/directory.ts";
export { createFile, editFile, removeFile, saveFile } from "./files/replace-file.ts";
export * from "./identity/index.ts";
export { serveUntilSignalled } from "./lifecycle.ts";
export * from "./limits/index.ts";
export { type Listener, type ListenOptions, listen, listenAll } from "./listen.ts";
export { childLogger, createLogger, keptLog, type Logger } from "./log.ts";
export * from "./session/index.ts";
export * from "./speedtest/index.ts";
export * from "./status/index.ts";
export { hasIpv6 } from "./sys/address-families.ts";
export { hasCapability } from "./sys/capabilities.ts";
export { interfaceIndex, isOwnAddress, type LocalAddress, localAddresses } from "./sys/interfaces.ts";
export { canonicalIp, formatIp, formatIpv4, parseIp } from "./sys/ip-address.ts";
export { type IpSet, type IpSetEntry, IpSetErrno, IpSets } from "./sys/ipset.ts";
export { type NetlinkOptions, NetlinkProtocol, NetlinkSocket } from "./sys/netlink.ts";
export {
  attribute,
  listAttributes,
  nestedAttribute,
  networkOrderAttribute,
  readAttributes,
  readU16,
  readU32,
} from "./sys/netlink-attributes.ts";
export { NetlinkFlag, type NetlinkMessage } from "./sys/netlink-message.ts";
export { type RulesChange, watchNftables } from "./sys/nftables-watch.ts";
export { type OriginalDestination, originalDestination } from "./sys/original-destination.ts";
export { createPinnedSocket, mayBindToDevice } from "./sys/pinned-socket.ts";
export { type Route, readRoutes, watchRoutes } from "./sys/routes.ts";
export { SPECIAL_RANGES } from "./sys/special-ranges.ts";
export { SystemError } from "./sys/system-error.ts";
export { clientTls, serverTls } from "./tls/psk.ts";
export { TlsError } from "./tls/tls-error.ts";
