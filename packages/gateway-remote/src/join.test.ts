/** Peers that hold a key and misuse it to join: a real remote gateway on loopback, with two peers. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createLogger, SessionDriver } from "@hawser/gateway-kit";
import { MemoryBudget } from "@hawser/multipath-engine";
import {
  CloseCode,
  derivePsk,
  type Frame,
  FrameDecoder,
  FrameEncoder,
  type HelloFrame,
  MAX_SUBFLOWS,
  PROTOCOL_VERSION,
  Secret,
  StreamCode,
} from "@hawser/shared-protocol";
import { clientTls, JoinError, joinSession } from "@hawser/subflow-transport";
import { parseRemoteFile } from "./config.ts";
import { RemoteGateway } from "./gateway.ts";

/** An address of loopback that no other test uses. */
const HOST = "127.0.0.77";
const IDENTITY = Secret.fromBytes(randomBytes(32));
const PEERS = ["home", "guest", "restless", "crowd"].map((name) => ({
  name,
  key: Secret.fromBytes(randomBytes(32)),
}));

let gateway: RemoteGateway;
let port = 0;

before(async () => {
  const free = createServer().listen(0, HOST);
  await once(free, "listening");
  ({ port } = free.address() as AddressInfo);
  free.close();
  await once(free, "close");
  const text = `listen = ["${HOST}:${port}"]\negress.allow = ["${HOST}"]\n[limits]\nmemory = "16MiB"\n`;
  const { peer: peers, ...file } = parseRemoteFile(text + PEERS.map(peerTable).join(""), "remote.toml");
  gateway = new RemoteGateway(
    {
      ...file,
      peers,
      problems: [],
      identity: IDENTITY,
      status: { listen: { host: HOST, port: 0 }, token: undefined },
    },
    createLogger({ role: "remote", name: "test", level: "silent" }),
  );
  await gateway.start();
});
after(() => gateway.stop(0, AbortSignal.abort()));

function peerTable({ name, key }: (typeof PEERS)[number]): string {
  return `[[peer]]\nname = "${name}"\nkey = "${key.revealBase64url()}"\n`;
}

/** A connection with the peer's key, before its HELLO. */
async function dial(name: string): Promise<TLSSocket> {
  const raw = connect(port, HOST);
  await once(raw, "connect");
  const peer = PEERS.find((each) => each.name === name) as (typeof PEERS)[number];
  const psk = derivePsk(IDENTITY, peer.key, name).reveal();
  return clientTls(raw, { identity: name, psk, servername: "hawser.invalid" });
}

function hello(session: Buffer, more: Partial<HelloFrame> = {}): HelloFrame {
  const usual = { version: PROTOCOL_VERSION, path: "dsl", index: 0, role: "active", subflow: 0 } as const;
  return { type: "hello", session, resume: false, ...usual, ...more };
}

async function join(name: string, frame: HelloFrame): Promise<TLSSocket> {
  const socket = await dial(name);
  await joinSession(socket, frame);
  return socket;
}

async function assertRefused(joined: Promise<unknown>, closeCode: CloseCode): Promise<void> {
  await assert.rejects(joined, (error) => {
    assert.ok(error instanceof JoinError, String(error));
    assert.equal(error.closeCode, closeCode, error.message);
    return true;
  });
}

/** Resolves when the connection has ended, in whatever way: these tests do not care about a reset. */
function whenClosed(socket: TLSSocket): Promise<void> {
  socket.on("error", () => {}).resume();
  return new Promise((done) => socket.once("close", () => done()));
}

const sessionsOf = (peer: string) => [...gateway.sessions.all].filter((session) => session.peer === peer);

test("another peer's session id joins a session of one's own, and resumes nothing", async () => {
  const id = randomBytes(16);
  const driver = new SessionDriver({
    name: "test",
    side: "local",
    memory: new MemoryBudget(16 * 2 ** 20),
    onClosed: () => {},
  });
  const own = await join("home", hello(id));
  driver.addSubflow(own, { id: 0, path: "dsl", role: "active" }, Buffer.alloc(0));
  const [session] = sessionsOf("home");

  await assertRefused(join("guest", hello(id, { resume: true, subflow: 1 })), CloseCode.unknownSession);
  const intruder = await join("guest", hello(id));
  assert.deepEqual([sessionsOf("home").length, sessionsOf("guest").length], [1, 1]);
  assert.notEqual(sessionsOf("guest")[0], session);
  assert.equal(session?.driver.connections.size, 1);

  // The intruder's GONE and CLOSE are about its own session.
  intruder.write(bytes({ type: "gone", subflow: 0, received: 0, role: "active" }));
  const closed = whenClosed(intruder);
  intruder.write(bytes({ type: "close", scope: "session", code: 0, reason: "" }));
  await closed;
  const answered = Promise.withResolvers<number>();
  const stream = driver.open({
    kind: "connect",
    destination: { host: "", port: 1 },
    source: { host: "", port: 0 },
  }) as number;
  const nothing = (): void => {};
  driver.adopt(stream, {
    handleOpened: nothing,
    handleReadable: nothing,
    handleWritable: nothing,
    handleClosed: nothing,
    handleReset: answered.resolve,
  });
  assert.equal(await answered.promise, StreamCode.nameNotFound);
  assert.equal(sessionsOf("home").length, 1);
  driver.close(CloseCode.done, "");
  await driver.allClosed();
});

test("a subflow's number that is in use is refused, and its holder stays", async () => {
  const id = randomBytes(16);
  const first = await join("home", hello(id, { subflow: 5 }));
  for (const path of ["dsl", "lte"])
    await assertRefused(join("home", hello(id, { subflow: 5, path })), CloseCode.protocol);
  const session = sessionsOf("home").find((each) => each.id === id.toString("hex"));
  assert.deepEqual([...(session?.driver.connections.keys() ?? [])], [5]);
  first.destroy();
});

test("an abandoned attempt cannot displace the attempt after it, however late its HELLO comes", async () => {
  const id = randomBytes(16);
  const second = await join("home", hello(id, { subflow: 7 }));
  await assertRefused(join("home", hello(id, { subflow: 6 })), CloseCode.protocol);
  const session = sessionsOf("home").find((each) => each.id === id.toString("hex"));
  assert.deepEqual([...(session?.driver.connections.keys() ?? [])], [7]);
  const other = await join("home", hello(id, { subflow: 5, index: 1 }));
  for (const socket of [second, other]) socket.destroy();
});

test("a path's name that no configuration could have is refused", async () => {
  for (const path of ["", "a b", "x\u001b[2J", "é"])
    await assertRefused(join("home", hello(randomBytes(16), { path })), CloseCode.protocol);
});

test("a peer that joins without end is refused after a burst, and keeps nobody else out", async () => {
  const session = randomBytes(16);
  const joined: TLSSocket[] = [];
  let refused: unknown;
  for (let subflow = 0; subflow < 300 && !refused; subflow++) {
    const frame = hello(session, { subflow });
    const socket = await join("restless", frame).catch((error: unknown) => void (refused = error));
    if (socket) joined.push(socket.on("error", () => {}));
  }
  assert.ok(refused instanceof JoinError);
  assert.equal(refused.closeCode, CloseCode.protocol);
  assert.match(refused.message, /joins too often/);
  assert.ok(joined.length >= 256 && joined.length < 300, `${joined.length} joined`);
  (await join("guest", hello(randomBytes(16)))).destroy();
  for (const socket of joined) socket.destroy();
});

test("the subflows of all of a peer's sessions are bounded: beyond the bound its oldest session ends", async () => {
  const ids = Array.from({ length: 3 }, () => randomBytes(16));
  const joined: TLSSocket[] = [];
  for (const id of ids) {
    for (let subflow = 0; subflow < MAX_SUBFLOWS; subflow++) {
      const frame = hello(id, { subflow, index: subflow, resume: subflow > 0 });
      joined.push((await join("crowd", frame)).on("error", () => {}));
    }
  }
  const count = sessionsOf("crowd").reduce((sum, { driver }) => sum + driver.connections.size, 0);
  assert.ok(count <= 160, `${count} subflows`);
  assert.ok(
    !sessionsOf("crowd").some(({ id, driver }) => id === ids[0]?.toString("hex") && !driver.session.isClosed),
  );
  for (const socket of joined) socket.destroy();
});

test("an aborted join ends its connection at once", async () => {
  const socket = await dial("home");
  const calledOff = new AbortController();
  const joining = joinSession(socket, hello(randomBytes(16)), calledOff.signal);
  calledOff.abort();
  await assertRefused(joining, CloseCode.done);
  assert.ok(socket.destroyed);
});

test("HELLO of no version is answered with CLOSE", () =>
  assertRefused(join("home", hello(randomBytes(16), { version: 0 })), CloseCode.version));

for (const [theirs, spoken] of [
  [1, 1],
  [PROTOCOL_VERSION, PROTOCOL_VERSION],
  [PROTOCOL_VERSION + 1, PROTOCOL_VERSION],
  [2 ** 40, PROTOCOL_VERSION],
] as const) {
  test(`HELLO of version ${theirs} is answered with WELCOME of version ${spoken}`, async () => {
    const socket = await dial("home");
    const { version } = await joinSession(socket, hello(randomBytes(16), { version: theirs }));
    assert.equal(version, spoken);
    socket.destroy();
  });
}

for (const [what, begin] of [
  ["anything but HELLO", () => bytes({ type: "ping" })],
  ["DATA", () => Buffer.from("12000001aa", "hex")],
  ["garbage", () => Buffer.alloc(2_000, 0xff)],
  [
    "frames behind HELLO, before WELCOME",
    () => Buffer.concat([bytes(hello(randomBytes(16))), bytes({ type: "ping" })]),
  ],
] as const) {
  test(`a connection that begins with ${what} is closed, and makes no session`, async () => {
    const count = [...gateway.sessions.all].length;
    const socket = await dial("guest");
    const closed = whenClosed(socket);
    const types: string[] = [];
    const decoder = new FrameDecoder();
    socket.on("data", (data: Buffer) => {
      decoder.decode(data, { handleFrame: ({ type }) => void types.push(type), handleData: () => undefined });
    });
    socket.write(begin());
    await closed;
    assert.ok(!types.includes("welcome"));
    assert.equal([...gateway.sessions.all].length, count);
  });
}

function bytes(frame: Frame): Buffer {
  const encoder = new FrameEncoder();
  encoder.append(frame);
  return Buffer.concat(encoder.take());
}
