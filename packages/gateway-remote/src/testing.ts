/** What only tests need. */

export { remoteProgram } from "./cli.ts";
export { loadRemoteConfig } from "./config.ts";
export { RemoteGateway } from "./gateway.ts";
export { startNameServer } from "./names/testing.ts";
export { addPeer, initConfig, listPeers, removePeer, rotateKey } from "./peers.ts";
