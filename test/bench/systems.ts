/** What is compared: each takes the house's TCP over all lines while it stands. Only one stands at a time. */
import { Hawser } from "../lab/hawser.ts";
import type { House } from "../lab/house.ts";
import { MptcpPeer } from "./mptcp-peer.ts";
import { sum } from "./statistics.ts";
import type { System, SystemName } from "./system.ts";

export function startSystem(name: SystemName, house: House): Promise<System> {
  return name === "hawser" ? startHawser(house) : MptcpPeer.start(house);
}

async function startHawser(house: House): Promise<System> {
  const hawser = await Hawser.start(house);
  const whenReady = () => hawser.whenPaths((states) => states.every((state) => state === "up"));
  await whenReady();
  return {
    name: "hawser",
    whenReady,
    sent: async () => {
      const { sessions } = await hawser.remoteStatus();
      const paths = sessions.flatMap((session) => session.paths);
      return {
        bytes: sum(paths.map(({ sentBytes }) => sentBytes)),
        redundant: sum(paths.map(({ reinjectedBytes }) => reinjectedBytes)),
      };
    },
    stop: async () => {
      await hawser.stop();
    },
  };
}
