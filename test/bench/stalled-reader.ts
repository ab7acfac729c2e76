/** `node stalled-reader.ts HOST PORT`: asks for everything and reads nothing, until it is killed. */
import { connect } from "node:net";

const [host = "", port = ""] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
socket.pause();
socket.on("error", () => {});
socket.write(`GET ${1e15}\n`);
setInterval(() => {}, 60_000);
