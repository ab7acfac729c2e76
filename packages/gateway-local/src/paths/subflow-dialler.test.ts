/** One dialler, and endpoints of a remote gateway on loopback that admit it, refuse it or give no answer. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, beforeEach, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import {
  CloseCode,
  DEFAULT_POLICY,
  type Endpoint,
  OLDEST_VERSION,
  PROTOCOL_VERSION,
  Secret,
} from "@hawser/shared-protocol";
import { awaitHello, refuse, serverTls, welcome } from "@hawser/subflow-transport";
import { RemoteAddresses } from "../remote-addresses.ts";
import type { SessionKeeper } from "../session-keeper.ts";
import { LONG_LIFE_MS } from "./backoff.ts";
import type { Path } from "./path.ts";
import { SharedRace } from "./shared-race.ts";
import { SubflowDialler } from "./subflow-dialler.ts";

const HOST = "127.0.0.1";
const PSK = Secret.fromBytes(randomBytes(32));
const logger = createLogger({ role: "local", name: "test", level: "silent" });

type Manner = "open" | "closed" | "silent";
/** How each endpoint treats a connection. */
const manners: Record<string, Manner> = {};
/** The endpoints that were dialled, in order. */
const dialled: string[] = [];
/** The sessions that joined subflows named in their HELLO. */
const named: string[] = [];
/** The versions of the protocol with which subflows have joined. */
const versions: number[] = [];
/** The latest version that the remote gateway speaks. */
let spoken = PROTOCOL_VERSION;
const sockets = new Set<Socket>();
const servers: Server[] = [];

beforeEach(() => {
  dialled.length = 0;
  named.length = 0;
  versions.length = 0;
  spoken = PROTOCOL_VERSION;
});
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

async function startEndpoint(name: string, manner: Manner): Promise<Server> {
  manners[name] = manner;
  const server = createServer({ pauseOnConnect: true }, (raw) => {
    keep(raw);
    dialled.push(name);
    if (manners[name] === "closed") raw.destroy();
    else if (manners[name] === "open") letIn(raw).catch(() => raw.destroy());
  });
  servers.push(server);
  await once(server.listen(0, HOST), "listening");
  return server;
}

async function letIn(raw: Socket): Promise<void> {
  const { socket } = await serverTls(raw, { lookup: () => PSK.reveal() });
  keep(socket);
  const { session, version } = await awaitHello(socket, 5_000);
  named.push(Buffer.from(session).toString("hex"));
  if (version > spoken) return refuse(socket, CloseCode.version, "the remote gateway is a release older");
  welcome(socket, version);
}

function keep(socket: Socket): void {
  sockets.add(socket);
  socket.on("error", () => {});
}

function endpointOf(server: Server): Endpoint {
  return { host: HOST, port: (server.address() as AddressInfo).port };
}

interface Played {
  readonly dialler: SubflowDialler;
  readonly keeper: { id: Buffer };
  /** Resolves when the next subflow has joined. */
  readonly joined: () => Promise<unknown>;
  /** The errors of failed attempts. */
  readonly failures: readonly string[];
}

function play(...endpoints: readonly Server[]): Played {
  const events = new EventEmitter();
  const failures: string[] = [];
  const path = {
    name: "dsl",
    config: { name: "dsl", source: HOST },
    roleInForce: "active",
    policy: () => DEFAULT_POLICY,
    enforceRole() {},
    race: new SharedRace(),
    handleFailure: ({ message }: Error) => void failures.push(message),
  };
  const driver = {
    connections: new Map(),
    session: { isClosed: false },
    addSubflow(socket: Socket, { version }: { version: number }) {
      keep(socket);
      versions.push(version);
      setImmediate(() => events.emit("joined"));
    },
  };
  let subflow = 0;
  const keeper = {
    pairing: { name: "home", psk: PSK, endpoints: endpoints.map(endpointOf) },
    id: randomBytes(16),
    established: false,
    version: PROTOCOL_VERSION,
    handleOlderRemote() {
      this.version = OLDEST_VERSION;
    },
    takeSubflow: () => subflow++,
    handleJoined() {},
    driver,
  };
  const dialler = new SubflowDialler(
    path as unknown as Path,
    0,
    keeper as unknown as SessionKeeper,
    new RemoteAddresses(),
    logger,
  );
  return { dialler, keeper, joined: () => once(events, "joined"), failures };
}

/** A dialler that has joined over the second endpoint, since the first was closed. Both are open now. */
async function joinSecond(): Promise<Played> {
  const played = play(await startEndpoint("first", "closed"), await startEndpoint("second", "open"));
  const joined = played.joined();
  played.dialler.start();
  await joined;
  assert.deepEqual(dialled, ["first", "second"]);
  manners["first"] = "open";
  return played;
}

test("a renewal dials the target that serves at present", async () => {
  const { dialler } = await joinSecond();
  await dialler.renew();
  assert.deepEqual(dialled, ["first", "second", "second"]);
});

test("after a drill the dialler tries the target that had served", async (t) => {
  const { dialler, joined } = await joinSecond();
  const later = performance.now() + LONG_LIFE_MS;
  t.mock.method(performance, "now", () => later);
  dialler.stop();
  dialler.handleLost();
  const back = joined();
  dialler.start();
  await back;
  assert.deepEqual(dialled, ["first", "second", "second"]);
});

test("a renewal from an address that may be gone is ended, and the line is dialled anew", async () => {
  const server = await startEndpoint("only", "open");
  const { dialler, joined, failures } = play(server);
  const first = joined();
  dialler.start();
  await first;
  manners["only"] = "silent";
  const renewed = dialler.renew();
  await once(server, "connection");
  manners["only"] = "open";
  const second = joined();
  dialler.handleAddressesGone();
  await renewed;
  await second;
  assert.deepEqual(dialled, ["only", "only", "only"]);
  // The renewal was aborted: at its deadline it would have counted as a failure.
  assert.deepEqual(failures, []);
});

test("an attempt joins the session that is present when it is answered, not when it began", async () => {
  const server = await startEndpoint("slow", "silent");
  const { dialler, keeper, joined } = play(server);
  const first = joined();
  const connection = once(server, "connection");
  dialler.start();
  const [raw] = (await connection) as [Socket];
  keeper.id = randomBytes(16);
  await letIn(raw);
  await first;
  assert.deepEqual(named, [keeper.id.toString("hex")]);
});

test("a remote gateway of an older release gets a HELLO of its own version at the second try", async () => {
  spoken = OLDEST_VERSION;
  const { dialler, joined, failures } = play(await startEndpoint("older", "open"));
  const first = joined();
  dialler.start();
  await first;
  assert.deepEqual([dialled, versions], [["older", "older"], [OLDEST_VERSION]]);
  assert.match(failures.join(), /a release older/);
});
