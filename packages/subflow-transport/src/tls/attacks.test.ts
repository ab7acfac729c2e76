/** An attacker on the line between two gateways, who sees and changes every byte but has no key; and one at each end. */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, mock, test } from "node:test";
import * as tls from "node:tls";
import { type ClientTlsOptions, clientTls, type ServerTls, serverTls } from "./psk.ts";
import { CLIENT, KEY, KEYS, OTHER } from "./testing.ts";
import { TlsError, TlsErrorCode } from "./tls-error.ts";

const SUITE = "TLS_AES_128_GCM_SHA256";
/** RFC 8446, sections 5.1 and 6. */
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const ALERT = 21;

const servers: Server[] = [];
const sockets: Socket[] = [];
/** Also after a failure, behind which connections would keep the process. */
after(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listening(onConnection: (raw: Socket) => void): Promise<number> {
  const server = createServer({ pauseOnConnect: true }, (raw) => {
    sockets.push(raw);
    onConnection(raw);
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function dial(port: number): Promise<Socket> {
  const raw = connect(port, "127.0.0.1");
  sockets.push(raw);
  raw.on("error", () => {});
  await once(raw, "connect");
  return raw;
}

/** Cuts a byte stream into TLS records. */
class Records {
  #rest: Buffer = Buffer.alloc(0);

  take(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const records: Buffer[] = [];
    while (this.#rest.length >= RECORD_HEADER) {
      const length = RECORD_HEADER + this.#rest.readUInt16BE(3);
      if (this.#rest.length < length) break;
      records.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
    return records;
  }
}

type Change = (record: Buffer, n: number) => Buffer[];

/** One connection with the attacker in the middle: `up` sees the client's records, `down` the server's. */
class Middle {
  readonly fromClient: Buffer[] = [];
  readonly fromServer: Buffer[] = [];
  readonly served = Promise.withResolvers<ServerTls | TlsError>();
  client: tls.TLSSocket | TlsError | undefined;
  /** Towards the server. */
  #onward: Socket | undefined;

  static async start(up?: Change, down?: Change, options: Partial<ClientTlsOptions> = {}): Promise<Middle> {
    const middle = new Middle();
    const serverPort = await listening((raw) => {
      void serverTls(raw, KEYS, 2_000).then(middle.served.resolve, middle.served.resolve);
    });
    const port = await listening((raw) => {
      const onward = connect(serverPort, "127.0.0.1");
      middle.#onward = onward;
      sockets.push(onward);
      pass(raw, onward, middle.fromClient, up);
      pass(onward, raw, middle.fromServer, down);
    });
    middle.client = await clientTls(await dial(port), { ...CLIENT, ...options }).catch(
      (error: TlsError) => error,
    );
    return middle;
  }

  inject(...records: readonly Buffer[]): void {
    for (const record of records) this.#onward?.write(record);
  }

  /** Both ends after an honest handshake. */
  async ends(): Promise<{ client: tls.TLSSocket; server: tls.TLSSocket }> {
    const served = await this.served.promise;
    assert.ok(this.client instanceof tls.TLSSocket && !(served instanceof TlsError));
    return { client: this.client, server: served.socket };
  }

  /** What both ends made of a handshake that was tampered with. */
  async assertRefused(): Promise<void> {
    assert.ok(this.client instanceof TlsError, "the client was let in");
    assert.ok((await this.served.promise) instanceof TlsError, "the server let a client in");
  }
}

function pass(from: Socket, to: Socket, seen: Buffer[], change: Change = (record) => [record]): void {
  const records = new Records();
  from.on("error", () => {}).on("close", () => to.destroy());
  from.on("data", (bytes: Buffer) => {
    for (const record of records.take(bytes)) {
      seen.push(Buffer.from(record));
      for (const changed of change(record, seen.length - 1)) to.write(changed);
    }
  });
  from.resume();
}

/** Everything that the server's application gets until its connection is closed. */
async function received(server: tls.TLSSocket): Promise<string> {
  let text = "";
  server.on("data", (bytes: Buffer) => (text += String(bytes)));
  if (!server.closed) await new Promise((resolve) => server.once("close", resolve));
  return text;
}

async function got(server: tls.TLSSocket): Promise<string> {
  const [bytes] = (await once(server, "data")) as [Buffer];
  return String(bytes);
}

test("everything that a client once sent, sent again, opens nothing", async () => {
  const middle = await Middle.start();
  const { client, server } = await middle.ends();
  client.write("HELLO");
  assert.equal(await got(server), "HELLO");
  client.destroy();
  const served = Promise.withResolvers<unknown>();
  const port = await listening(
    (raw) => void serverTls(raw, KEYS, 2_000).then(served.resolve, served.resolve),
  );
  const replay = await dial(port);
  replay.resume();
  for (const record of middle.fromClient) replay.write(record);
  const error = await served.promise;
  assert.ok(error instanceof TlsError, "the replay was let in");
  assert.equal(error.code, TlsErrorCode.failed);
});

test("a record of one subflow put into another ends that one, and nothing of it arrives", async () => {
  const [one, two] = await Promise.all([Middle.start(), Middle.start()]);
  const [here, there] = [await one.ends(), await two.ends()];
  here.client.write("of the one");
  assert.equal(await got(here.server), "of the one");
  const stolen = one.fromClient.at(-1) as Buffer;
  assert.equal(stolen[0], APPLICATION_DATA);
  there.client.write("of the other");
  assert.equal(await got(there.server), "of the other");
  there.client.on("error", () => {});
  const rest = received(there.server);
  two.inject(stolen);
  assert.equal(await rest, "");
  assert.ok(!here.server.destroyed, "the one that was stolen from goes on");
  here.client.destroy();
});

for (const [what, tamper] of [
  ["sent twice", (record: Buffer) => [record, record]],
  ["left out", () => []],
  ["with one bit turned", (record: Buffer) => [flip(record, record.length - 1)]],
] as const) {
  test(`a record ${what} ends the connection before anything false arrives`, async () => {
    let armed = false;
    const middle = await Middle.start((record) => (armed ? ((armed = false), tamper(record)) : [record]));
    const { client, server } = await middle.ends();
    client.on("error", () => {});
    const text = received(server);
    client.write("first.");
    await once(server, "data");
    armed = true;
    client.write("second.");
    // The next one shows that one is missing.
    setImmediate(() => client.write("third."));
    assert.ok(["first.", "first.second."].includes(await text));
  });
}

function flip(record: Buffer, at: number): Buffer {
  const changed = Buffer.from(record);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

test("a ClientHello changed in any place is refused: the binder covers all of it", async () => {
  const honest = await Middle.start();
  const { client } = await honest.ends();
  const [hello] = honest.fromClient as [Buffer];
  client.destroy();
  // Version, random, suites, extensions, and the binder at the end.
  const places = [9, 11, 46, hello.length >> 1, hello.length - 60, hello.length - 1];
  for (const place of places) {
    const middle = await Middle.start((record, n) => [n === 0 ? flip(record, place) : record]);
    await middle.assertRefused();
  }
});

test("a handshake's flights each fit a small segment, as TCP's window may be a single one", async () => {
  const servername = `${`${"a".repeat(60)}.`.repeat(4)}example`;
  const middle = await Middle.start(undefined, undefined, { servername });
  const { client } = await middle.ends();
  client.destroy();
  const bytes = (records: readonly Buffer[]): number => records.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes(middle.fromClient) < 1_200, `${bytes(middle.fromClient)} bytes from the client`);
  assert.ok(bytes(middle.fromServer) < 1_200, `${bytes(middle.fromServer)} bytes from the server`);
});

test("a downgrade to TLS 1.2 is refused: with 1.3 taken out of the offer, or out of the answer", async () => {
  const [offer, answer] = [Buffer.from("0304", "hex"), Buffer.from("002b00020304", "hex")];
  const strip = (what: Buffer) => (record: Buffer, n: number) => {
    const at = n === 0 ? record.indexOf(what) : -1;
    if (at < 0) return [record];
    const changed = Buffer.from(record);
    changed[at + what.length - 1] = 3;
    return [changed];
  };
  await (await Middle.start(strip(Buffer.concat([Buffer.from("002b000302", "hex"), offer])))).assertRefused();
  await (await Middle.start(undefined, strip(answer))).assertRefused();
});

test("a ServerHello from elsewhere, or one that names another suite, is refused", async () => {
  const honest = await Middle.start();
  const { client } = await honest.ends();
  client.destroy();
  const [stolen] = honest.fromServer as [Buffer];
  assert.equal(stolen[0], HANDSHAKE);
  await (await Middle.start(undefined, (record, n) => [n === 0 ? stolen : record])).assertRefused();
  const other = (record: Buffer): Buffer => {
    const changed = Buffer.from(record);
    // Behind the record's and the message's header, the version, the random and an echoed session id.
    const suite = RECORD_HEADER + 4 + 2 + 32 + 1 + (changed[RECORD_HEADER + 38] as number);
    changed.writeUInt16BE(0x1303, suite);
    return changed;
  };
  await (await Middle.start(undefined, (record, n) => [n === 0 ? other(record) : record])).assertRefused();
});

test("a name that is no peer's gets the answer that a wrong key gets", async () => {
  const answers: string[] = [];
  for (const options of [{ psk: OTHER }, { identity: "nobody" }, { identity: "nobody", psk: OTHER }]) {
    const middle = await Middle.start(undefined, undefined, options);
    await middle.assertRefused();
    assert.equal((middle.client as TlsError).code, TlsErrorCode.refused);
    answers.push(Buffer.concat(middle.fromServer).toString("hex"));
  }
  assert.equal((answers[0] as string).slice(0, 2), ALERT.toString(16));
  assert.deepEqual(answers, [answers[0], answers[0], answers[0]]);
});

/** A client with the key that can do without an ephemeral exchange, and has no group that servers know. */
const WITHOUT_EXCHANGE: tls.ConnectionOptions = {
  minVersion: "TLSv1.3",
  ciphers: SUITE,
  ecdhCurve: "brainpoolP256r1tls13",
  secureOptions: constants.SSL_OP_ALLOW_NO_DHE_KEX,
  checkServerIdentity: () => undefined,
  pskCallback: () => ({ psk: KEY, identity: "home" }),
};

test("a client that has the key but wants no ephemeral exchange is refused", async () => {
  // A server that allows it takes this very client.
  const lax = tls.createServer({
    minVersion: "TLSv1.3",
    ciphers: SUITE,
    secureOptions: constants.SSL_OP_ALLOW_NO_DHE_KEX,
    pskCallback: () => KEY,
  });
  const laxPort = await listening((raw) => lax.emit("connection", raw));
  const admitted = tls.connect({ socket: await dial(laxPort), ...WITHOUT_EXCHANGE });
  await once(admitted, "secureConnect");
  const exchange = admitted.getEphemeralKeyInfo();
  assert.equal((exchange as { type?: string }).type, undefined);
  admitted.destroy();

  const served = Promise.withResolvers<unknown>();
  const port = await listening(
    (raw) => void serverTls(raw, KEYS, 2_000).then(served.resolve, served.resolve),
  );
  const refused = tls.connect({ socket: await dial(port), ...WITHOUT_EXCHANGE });
  await assert.rejects(once(refused, "secureConnect"));
  const error = await served.promise;
  assert.ok(error instanceof TlsError && error.code === TlsErrorCode.failed, String(error));

  // Our client offers no such thing; and if OpenSSL ever agreed to it, this is how it would look.
  const info = mock.method(tls.TLSSocket.prototype, "getEphemeralKeyInfo", () => exchange);
  const middle = await Middle.start();
  info.mock.restore();
  assert.ok(middle.client instanceof TlsError && middle.client.code === TlsErrorCode.notPsk);
});
