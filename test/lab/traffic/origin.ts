/**
 * The server of the tests: `node origin.ts [--host HOST] [PORT ...]`. Prints {"ports":[...],"talker":...} once it
 * listens; port 0 is any free one.
 *
 * A connection begins with one line that says what it is for; the rest is the client's stream.
 *
 *   GET <bytes> [seed]       that many bytes of the seed's pattern, then FIN
 *   SINK [skipMs] [windowMs] [hash]
 *                            counts until FIN or the end of the window (0: none), answers one line of JSON, FIN:
 *                            a MeterReport, with "sha256" of all bytes when hash is 1
 *   PUT                      reads until FIN, answers "<sha256 hex> <bytes>\n", FIN
 *   ECHO                     sends back what comes, until FIN
 *   ONE                      one byte, then FIN
 *   WHO                      "<address> <port>\n" of the connection's other end, FIN
 *   FIN [bytes]              FIN at once (after so many bytes); then reads on until the other side's FIN
 *   DRIP <bytes> <ms>        so many bytes every so many ms, until the client leaves
 *   HOLD                     never reads, never answers
 *   RST [bytes]              resets the connection, after so many bytes of the pattern
 *   QUIT                     closes without an answer
 *
 * On the port after the last one it speaks first, as SMTP or SSH do: "220 ready\r\n", then as ECHO.
 */
import { createHash, type Hash } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Meter } from "./meter.ts";
import { Pattern, PIECE_BYTES } from "./pattern.ts";

const LONGEST_REQUEST = 256;

type Handler = (socket: Socket, args: number[], rest: Buffer) => void;

const handlers: Record<string, Handler> = {
  GET: (socket, [bytes = 0, seed = 1]) => {
    socket.resume();
    sendPattern(socket, seed, bytes, () => socket.end());
  },
  SINK: (socket, [skipMs = 0, windowMs = 0, hash = 0], rest) =>
    sink(socket, new Meter(skipMs), windowMs, hash === 1 ? createHash("sha256") : undefined, rest),
  PUT: putAndHash,
  ECHO: (socket, _args, rest) => {
    socket.write(rest);
    socket.pipe(socket);
  },
  ONE: (socket) => socket.resume().end("1"),
  WHO: (socket) => socket.resume().end(`${socket.remoteAddress} ${socket.remotePort}\n`),
  FIN: (socket, [bytes = 0]) => {
    socket.resume();
    sendPattern(socket, 1, bytes, () => socket.end());
  },
  DRIP: (socket, [bytes = 1, ms = 100]) => {
    const data = Buffer.alloc(bytes, "d");
    const timer = setInterval(() => socket.write(data), ms);
    socket.resume().once("end", () => socket.end());
    socket.once("close", () => clearInterval(timer));
  },
  HOLD: (socket) => socket.pause(),
  RST: (socket, [bytes = 0]) => {
    socket.resume();
    sendPattern(socket, 1, bytes, () => socket.resetAndDestroy());
  },
  QUIT: (socket) => socket.destroy(),
};

function sendPattern(socket: Socket, seed: number, bytes: number, done: () => void): void {
  const pattern = new Pattern(seed);
  let sent = 0;
  const next = (): void => {
    while (sent < bytes && !socket.destroyed) {
      const piece = pattern.piece(sent, bytes - sent);
      sent += piece.length;
      if (sent >= bytes) socket.write(piece, done);
      else if (!socket.write(piece)) return;
    }
  };
  if (bytes === 0) done();
  else socket.on("drain", next);
  next();
}

function sink(socket: Socket, meter: Meter, windowMs: number, hash: Hash | undefined, rest: Buffer): void {
  const answer = (end: number | undefined): void => {
    if (!socket.writable) return;
    const digest = hash === undefined ? {} : { sha256: hash.digest("hex") };
    socket.end(`${JSON.stringify({ ...meter.report(end), ...digest })}\n`);
  };
  const take = (data: Buffer): void => {
    if (data.length === 0 || !socket.writable) return;
    meter.count(data.length);
    hash?.update(data);
  };
  take(rest);
  const timer = windowMs === 0 ? undefined : setTimeout(() => answer(windowMs), windowMs);
  socket.on("data", take);
  socket.once("end", () => answer(undefined));
  socket.once("close", () => clearTimeout(timer));
}

function putAndHash(socket: Socket, _args: number[], rest: Buffer): void {
  const hash = createHash("sha256").update(rest);
  let bytes = rest.length;
  socket.on("data", (data: Buffer) => {
    hash.update(data);
    bytes += data.length;
  });
  socket.once("end", () => socket.end(`${hash.digest("hex")} ${bytes}\n`));
}

function handleConnection(socket: Socket): void {
  socket.setNoDelay(true);
  // Clients leave when they like; many of the tests are about that.
  socket.on("error", () => {});
  let head = Buffer.alloc(0);
  const onData = (data: Buffer): void => {
    head = Buffer.concat([head, data]);
    const end = head.indexOf("\n");
    if (end < 0 && head.length <= LONGEST_REQUEST) return;
    socket.off("data", onData);
    socket.pause();
    const [verb = "", ...args] = head.toString("latin1", 0, end).trim().split(" ");
    const handler = handlers[verb];
    if (handler === undefined) socket.resume().end(`unknown request ${verb}\n`);
    else {
      handler(socket, args.map(Number), head.subarray(end + 1));
      if (verb !== "HOLD") socket.resume();
    }
  };
  socket.on("data", onData);
}

function handleTalker(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.write("220 ready\r\n");
  socket.pipe(socket);
}

/** Resolves with the port. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => resolve((server.address() as AddressInfo).port));
  });
}

const args = process.argv.slice(2);
const host = args[0] === "--host" ? (args.splice(0, 2)[1] ?? "::") : "::";
const wanted = args.length > 0 ? args.map(Number) : [7000];
const options = { allowHalfOpen: true, highWaterMark: 2 * PIECE_BYTES };
const ports = await Promise.all(
  wanted.map((port) => listen(createServer(options, handleConnection), host, port)),
);
const talkerPort = wanted.includes(0) ? 0 : Math.max(...ports) + 1;
const talker = await listen(createServer(options, handleTalker), host, talkerPort);
console.log(JSON.stringify({ ports, talker }));
