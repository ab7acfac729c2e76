/**
 * Inside a network namespace, to be reached from outside: `node bridge.ts SOCKET PORT` listens on a Unix socket, which
 * is a file and so the same in every namespace, and joins each connection to the namespace's own 127.0.0.1:PORT.
 * Prints a line once it listens; ends when stdin does.
 */
import { connect, createServer } from "node:net";
import { join } from "./join.ts";

const [path = "", port = ""] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, (socket) =>
  join(socket, connect({ host: "127.0.0.1", port: Number(port), allowHalfOpen: true })),
);
server.listen(path, () => console.log("listening"));
process.stdin.resume().once("end", () => process.exit(0));
