/** The demo in a house of network namespaces: the client's TCP is redirected and knows nothing of it. */
import { join } from "node:path";
import { Hawser } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { startOrigin } from "../lab/traffic/run.ts";
import { drawPlaces } from "./drawing.ts";
import { Forwarder } from "./forwarder.ts";
import { LINES, type Stage } from "./stage.ts";

/** Where the gateways' status servers listen, each in its own namespace. */
const LOCAL_STATUS = 8080;
const REMOTE_STATUS = 8081;

/** @param folder for the files of the run; whoever gave it removes it */
export async function buildHouse(folder: string): Promise<Stage> {
  const house = await House.create({ lines: LINES });
  const forwarders: Forwarder[] = [];
  const forward = async (...args: Parameters<typeof Forwarder.start>): Promise<Forwarder> => {
    const forwarder = await Forwarder.start(...args);
    forwarders.push(forwarder);
    return forwarder;
  };
  try {
    const origin = await startOrigin(house.origin);
    const hawser = await Hawser.start(house);
    const local = await forward(house.router, LOCAL_STATUS, LOCAL_STATUS, join(folder, "local.sock"));
    const remote = await forward(house.remote, REMOTE_STATUS, local.port + 1, join(folder, "remote.sock"));
    const { port } = origin;
    return {
      drawing: draw(house),
      client: house.lan,
      through: { host: house.addresses.origin.v4, port },
      plain: house.lines.map(({ number }) => ({ host: house.addresses.direct(number).v4, port })),
      carried: async () => {
        const { lines } = await house.emulatorCounters();
        return LINES.map(({ name }) => lines[name]?.down.deliveredBytes ?? 0);
      },
      dashboards: { local: local.url, remote: remote.url },
      close: async () => {
        await Promise.all(forwarders.map((forwarder) => forwarder.close()));
        await hawser.stop();
        await house.close();
      },
    };
  } catch (error) {
    await house.close();
    throw error;
  }
}

function draw({ addresses, lines }: House): string {
  const { lan, remote, origin } = addresses;
  return drawPlaces({
    client: [lan.client.v4, "knows nothing"],
    router: lan.router.v4,
    ends: lines.map(({ number }) => addresses.lineEnds(number).router.v4),
    remote: remote.v4,
    origin: [origin.v4, "sees the remote"],
  });
}
