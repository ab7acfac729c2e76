/** What only tests need. */

import { loadPeers } from "./config.ts";

export { remoteProgram } from "./cli.ts";
export { loadRemoteConfig } from "./config.ts";
export { RemoteGateway } from "./gateway.ts";
export { initConfig } from "./init.ts";
export { startNameServer } from "./names/testing.ts";
export { addPeer, removePeer, rotateKey } from "./peers.ts";

/** The names of the admitted peers. @throws CodedError */
export function listPeers(file: string): string[] {
  return loadPeers(file).peers.map(({ name }) => name);
}
