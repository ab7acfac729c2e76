import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as tls from "node:tls";
import { assertNoLeak, openFds } from "@hawser/linux-sockets/testing";
import { type ClientTlsOptions, clientTls, type ServerTls, serverTls } from "./psk.ts";
import { CLIENT, dialled, KEY, KEYS, OTHER } from "./testing.ts";
import { TlsError, TlsErrorCode } from "./tls-error.ts";

const SUITES = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";

interface Outcome {
  client?: ServerTls["socket"];
  clientError?: TlsError;
  served?: ServerTls;
  serverError?: TlsError;
}

/** Both ends at once, each as its value or its error. */
async function handshake(client: Partial<ClientTlsOptions> = {}, keys = KEYS): Promise<Outcome> {
  const outcome: Outcome = {};
  const over = Promise.withResolvers<void>();
  const { raw, server } = await dialled((socket) => {
    const serving = serverTls(socket, keys, 2000).then(
      (served) => void (outcome.served = served),
      (error: TlsError) => void (outcome.serverError = error),
    );
    void serving.then(over.resolve);
  });
  await clientTls(raw, { ...CLIENT, ...client }).then(
    (secure) => void (outcome.client = secure),
    (error: TlsError) => void (outcome.clientError = error),
  );
  await over.promise;
  server.close();
  return outcome;
}

function assertUp({ client, clientError, served, serverError }: Outcome) {
  assert.ok(client !== undefined && served !== undefined, String(clientError ?? serverError));
  return { client, served };
}

function assertRefused(outcome: Outcome, atClient: string, atServer: string): void {
  assert.ok(outcome.clientError instanceof TlsError && outcome.serverError instanceof TlsError);
  assert.deepEqual([outcome.clientError.code, outcome.serverError.code], [atClient, atServer]);
}

test("a shared key opens TLS 1.3 with an ephemeral exchange, and bytes pass both ways", async () => {
  const before = openFds();
  const { client, served } = assertUp(await handshake());
  assert.equal(served.identity, "home");
  assert.equal(client.getProtocol(), "TLSv1.3");
  assert.equal(client.getCipher().name, "TLS_AES_128_GCM_SHA256");
  assert.ok(Object.keys(client.getEphemeralKeyInfo() ?? {}).length > 0);
  client.write("ping");
  assert.equal(String((await once(served.socket, "data"))[0]), "ping");
  served.socket.write("pong");
  assert.equal(String((await once(client, "data"))[0]), "pong");
  client.destroy();
  served.socket.destroy();
  await assertNoLeak(before);
});

test("a client without AES instructions gets ChaCha20 when it asks for it first", async () => {
  const { client, served } = assertUp(await handshake({ preferChacha: true }));
  assert.equal(client.getCipher().name, "TLS_CHACHA20_POLY1305_SHA256");
  client.destroy();
  served.socket.destroy();
});

test("a wrong key is refused at both ends, and nothing stays open", async () => {
  const before = openFds();
  assertRefused(await handshake({ psk: OTHER }), TlsErrorCode.refused, TlsErrorCode.wrongKey);
  await assertNoLeak(before);
});

test("an unknown identity is refused and named to the server", async () => {
  const before = openFds();
  const outcome = await handshake({ identity: "stranger" });
  assertRefused(outcome, TlsErrorCode.refused, TlsErrorCode.unknownIdentity);
  assert.equal(outcome.serverError?.identity, "stranger");
  await assertNoLeak(before);
});

test("a lookup that throws, or that finds a key too short to be one, knows nobody", async () => {
  const throwing = {
    lookup: () => {
      throw new Error("disk on fire");
    },
  };
  assertRefused(await handshake({}, throwing), TlsErrorCode.refused, TlsErrorCode.unknownIdentity);
  const short = { lookup: () => Buffer.alloc(4) };
  assertRefused(await handshake({}, short), TlsErrorCode.refused, TlsErrorCode.unknownIdentity);
  const { raw, server } = await dialled((socket) => socket.on("error", () => {}).resume());
  await assert.rejects(clientTls(raw, { ...CLIENT, psk: Buffer.alloc(4) }), { code: TlsErrorCode.failed });
  assert.ok(raw.destroyed);
  await assert.rejects(clientTls(raw, CLIENT), { code: TlsErrorCode.closed }, "a socket that is gone");
  await assert.rejects(serverTls(raw, KEYS), { code: TlsErrorCode.closed });
  server.close();
});

test("a client that speaks TLS 1.2 with the right key is refused", async () => {
  const before = openFds();
  const served = Promise.withResolvers<unknown>();
  const { raw, server } = await dialled((socket) => {
    void serverTls(socket, KEYS, 2000).then(served.resolve, served.resolve);
  });
  const old = tls.connect({
    socket: raw,
    maxVersion: "TLSv1.2",
    ciphers: "PSK-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305",
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk: KEY, identity: "home" }),
  });
  await assert.rejects(once(old, "secureConnect"));
  assert.equal(((await served.promise) as TlsError).code, TlsErrorCode.failed);
  server.close();
  await assertNoLeak(before);
});

test("a server that speaks only TLS 1.2 with the right key is refused", async () => {
  const old = tls.createServer({
    maxVersion: "TLSv1.2",
    ciphers: "PSK-AES128-GCM-SHA256",
    pskCallback: () => KEY,
  });
  old.on("tlsClientError", () => {});
  const { raw, server } = await dialled((socket) => old.emit("connection", socket));
  await assert.rejects(clientTls(raw, CLIENT), { code: TlsErrorCode.failed });
  assert.ok(raw.destroyed);
  server.close();
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const withOpenssl = { skip: hasOpenssl ? false : "openssl is not installed" };

function makeCertificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "hawser-test-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=hawser.example", "-addext", "subjectAltName=DNS:hawser.example", "-days", "2"];
  execFileSync("openssl", [...request, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return made;
}

test(
  "a man in the middle with a certificate is refused, even where the environment waves it through",
  withOpenssl,
  async () => {
    const before = openFds();
    const middle = tls.createServer({ ...makeCertificate(), minVersion: "TLSv1.3" });
    middle
      .on("tlsClientError", () => {})
      .on("secureConnection", (socket) => socket.on("error", () => {}).resume());
    for (const rejectUnauthorized of [undefined, "0"]) {
      if (rejectUnauthorized !== undefined) process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = rejectUnauthorized;
      const { raw, server } = await dialled((socket) => middle.emit("connection", socket));
      await assert.rejects(clientTls(raw, CLIENT), { code: TlsErrorCode.notPsk });
      assert.ok(raw.destroyed);
      server.close();
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
    await assertNoLeak(before);
  },
);

test("a man in the middle whose certificate the system trusts is refused", withOpenssl, () => {
  // The trusted authority has to be in the environment before the process starts: a child of its own.
  const folder = mkdtempSync(join(tmpdir(), "hawser-test-"));
  after(() => rmSync(folder, { recursive: true }));
  const { key, cert } = makeCertificate();
  execFileSync("tee", [join(folder, "ca.pem")], { input: cert, stdio: ["pipe", "ignore", "inherit"] });
  const program = `
    import tls from "node:tls"; import net from "node:net";
    import { clientTls } from ${JSON.stringify(new URL("./psk.ts", import.meta.url).href)};
    const server = tls.createServer(${JSON.stringify({ key: String(key), cert: String(cert) })}).listen(0, async () => {
      server.on("tlsClientError", () => {});
      const raw = net.connect(server.address().port, "127.0.0.1");
      raw.once("connect", async () => {
        const options = { identity: "home", psk: Buffer.alloc(32), servername: "hawser.example" };
        const got = await clientTls(raw, options).catch((error) => error);
        console.log(got.code);
        process.exit(0);
      });
    });`;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
  const run = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
    env,
    encoding: "utf8",
  });
  assert.equal(run.stdout.trim(), TlsErrorCode.notPsk, run.stderr);
});

test("a session ticket opens nothing: neither without a key nor with a wrong one", async () => {
  const before = openFds();
  const first = await dialled((socket) => void serverTls(socket, KEYS, 2000).catch(() => {}));
  const honest = tls.connect({ socket: first.raw, ...pskClient(KEY) });
  const [session] = (await once(honest, "session")) as [Buffer];
  honest.destroy();
  first.server.close();
  for (const key of [undefined, OTHER]) {
    const served = Promise.withResolvers<unknown>();
    const { raw, server } = await dialled((socket) => {
      void serverTls(socket, KEYS, 2000).then(served.resolve, served.resolve);
    });
    const removed = tls.connect({ socket: raw, session, ...pskClient(key) });
    removed.on("error", () => {});
    assert.ok((await served.promise) instanceof TlsError, "the server must not take the ticket");
    removed.destroy();
    server.close();
  }
  await assertNoLeak(before);
});

function pskClient(key?: Uint8Array): tls.ConnectionOptions {
  return {
    ciphers: SUITES,
    minVersion: "TLSv1.3",
    servername: "hawser.example",
    checkServerIdentity: () => undefined,
    ...(key === undefined ? {} : { pskCallback: () => ({ psk: key, identity: "home" }) }),
  };
}
