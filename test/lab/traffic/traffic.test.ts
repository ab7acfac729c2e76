/** The traffic programs on loopback. Their reports must be right before anything is measured with them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { thisMachine } from "../namespace.ts";
import { Meter } from "./meter.ts";
import { Pattern } from "./pattern.ts";
import { connectRate, download, firstByte, type RunningOrigin, startOrigin, upload } from "./run.ts";

const HOST = "127.0.0.1";
let origin: RunningOrigin;

before(async () => {
  origin = await startOrigin(thisMachine, { ports: [0], listen: HOST });
});
after(() => origin.stop());

/** The origin's answer to `request`; then this side ends, too. */
async function ask(request: string | Buffer, port = origin.port): Promise<string> {
  const socket = connect({ host: HOST, port });
  socket.end(request);
  return (await buffer(socket)).toString("latin1");
}

test("the pattern finds bytes that are wrong, shifted or swapped", () => {
  const pattern = new Pattern(3);
  const bytes = Buffer.concat([pattern.piece(4_194_000, 1000), pattern.piece(4_195_000, 1000)]);
  assert.equal(pattern.mismatch(4_194_000, bytes), -1);
  assert.notEqual(pattern.mismatch(4_194_000 + 65536, bytes), -1);
  bytes[1234] = (bytes[1234] as number) ^ 1;
  assert.equal(pattern.mismatch(4_194_000, bytes), 1234);
  assert.notEqual(pattern.sha256(5_000_000), new Pattern(4).sha256(5_000_000));
});

test("the meter leaves out the beginning and finds the longest silence", async () => {
  const meter = new Meter(50);
  meter.count(1000);
  await new Promise((resolve) => setTimeout(resolve, 80));
  meter.count(500);
  const report = meter.report(200);
  assert.equal(report.bytes, 1500);
  assert.equal(Math.round(report.goodputBps), Math.round((500 * 8) / 0.15));
  assert.ok(report.largestGapMs > 100 && report.largestGapAtMs > 75, JSON.stringify(report));
  assert.equal(
    report.timeline.reduce((sum, bytes) => sum + bytes, 0),
    1500,
  );
});

test("downloads and uploads of a number of bytes are whole; those of a time end", async () => {
  const target = { host: HOST, port: origin.port };
  const down = await download(thisMachine, { ...target, bytes: 9_000_000, connections: 2, seed: 9 });
  assert.deepEqual([down.bytes, down.complete, down.error], [18_000_000, true, null]);
  const up = await upload(thisMachine, { ...target, bytes: 9_000_000, connections: 2, seed: 9 });
  assert.deepEqual([up.bytes, up.complete, up.error], [18_000_000, true, null]);
  for (const transfer of [download, upload]) {
    const timed = await transfer(thisMachine, { ...target, seconds: 0.4, skipMs: 100 });
    assert.ok(timed.complete && timed.goodputBps > 1e9, `${timed.error} ${timed.goodputBps}`);
  }
});

test("a failed transfer reports its error", async () => {
  const silent = createServer((socket) => socket.resume()).listen(0, HOST);
  const closing = createServer((socket) => socket.resume().end("not the pattern")).listen(0, HOST);
  await Promise.all([once(silent, "listening"), once(closing, "listening")]);
  const port = (server: Server): number => (server.address() as AddressInfo).port;
  const nothing = await download(thisMachine, { host: HOST, port: port(silent), seconds: 0.2 });
  assert.deepEqual([nothing.bytes, nothing.goodputBps, nothing.firstByteMs], [0, 0, null]);
  const wrong = await download(thisMachine, { host: HOST, port: port(closing), bytes: 15 });
  assert.match(String(wrong.error), /byte 0 is not what was sent/);
  const none = await firstByte(thisMachine, { host: HOST, port: port(silent), count: 2, timeoutMs: 100 });
  assert.equal(none.failed, 2);
  silent.close();
  closing.close();
  const refused = await upload(thisMachine, { host: HOST, port: 1, bytes: 10 });
  assert.match(String(refused.error), /ECONNREFUSED/);
});

test("connections that carry one byte", async () => {
  const target = { host: HOST, port: origin.port };
  const { ms, p50, failed } = await firstByte(thisMachine, { ...target, count: 5 });
  assert.ok(ms.length === 5 && failed === 0 && p50 < 50);
  const { done, failed: lost, perSecond } = await connectRate(thisMachine, { ...target, seconds: 0.3 });
  assert.ok(done > 50 && lost === 0 && perSecond > 100);
});

test("the origin's other requests", async () => {
  assert.equal(await ask("ECHO\nhello"), "hello");
  assert.equal(await ask("ONE\n"), "1");
  assert.match(await ask("WHO\n"), /^127\.0\.0\.1 \d+\n$/);
  assert.equal((await ask("FIN 1000\n")).length, 1000);
  assert.equal(await ask("QUIT\n"), "");
  assert.equal(
    await ask(Buffer.concat([Buffer.from("PUT\n"), new Pattern(2).piece(0, 5000)])),
    `${new Pattern(2).sha256(5000)} 5000\n`,
  );
  assert.equal(await ask("NONSENSE\n"), "unknown request NONSENSE\n");
  assert.equal(await ask("HELO x\r\n", origin.talkerPort), "220 ready\r\nHELO x\r\n");
  await assert.rejects(ask("RST\n"), { code: "ECONNRESET" });
});

for (const [host, head] of [
  ["192.0.2.1", "01c0000201"],
  ["2001:db8::1", "0420010db8000000000000000000000001"],
  ["origin.example", `030e${Buffer.from("origin.example").toString("hex")}`],
] as const) {
  test(`the SOCKS client asks for ${host}`, async () => {
    const asked: string[] = [];
    const server = createServer((socket) => void relay(socket, asked)).listen(0, HOST);
    await once(server, "listening");
    const socks = { host: HOST, port: (server.address() as AddressInfo).port };
    const result = await download(thisMachine, { host, port: 80, socks, bytes: 300_000 });
    server.close();
    assert.equal(result.error, null);
    assert.deepEqual(asked, ["050100", `050100${head}0050`]);
  });
}

/** A SOCKS server that records each request, and connects to the origin whatever the request was. */
async function relay(socket: Socket, asked: string[]): Promise<void> {
  for (const answer of ["0500", "05000001000000000000"]) {
    asked.push(((await once(socket, "data"))[0] as Buffer).toString("hex"));
    socket.write(Buffer.from(answer, "hex"));
  }
  const upstream = connect({ host: HOST, port: origin.port });
  socket.pipe(upstream).pipe(socket);
}
