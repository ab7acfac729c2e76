/**
 * The two lines of the demo on loopback: `node shaper.ts CONFIG-JSON`, a relay for TCP. Prints {"ports":[...]} of its
 * doors once they are open, and for each line on stdin [...]: what each line has brought into the house, bytes of IP.
 * Ends when stdin does.
 *
 *   hawser-local 127.0.0.11 ──┐                   ┌── line 1 ──┐
 *                             ├── one door, told ─┤            ├── hawser-remote
 *   hawser-local 127.0.0.12 ──┘   by its source   └── line 2 ──┘
 *
 * Doors of one line alone, whoever comes, are for plain TCP to the origin over the same lines.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ShapedLine } from "./shaped-line.ts";
import type { DemoLine } from "./stage.ts";

export interface Door {
  readonly host: string;
  readonly target: { readonly host: string; readonly port: number };
  /** The number of the line, from 0; none: the one whose source the connection has. */
  readonly line?: number;
}

export interface ShaperConfig {
  readonly lines: readonly (DemoLine & { readonly source: string })[];
  readonly doors: readonly Door[];
}

/** Opens a door; the port it got. */
async function open({ host, target, line }: Door, lines: readonly ShapedLine[]): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
    const shaped = lines[line ?? config.lines.findIndex(({ source }) => source === socket.remoteAddress)];
    if (shaped === undefined) socket.destroy();
    else shaped.join(socket, connect({ ...target, allowHalfOpen: true, noDelay: true }));
  });
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const config = JSON.parse(process.argv[2] ?? "null") as ShaperConfig;
const lines = config.lines.map((line) => new ShapedLine(line));
const ports = await Promise.all(config.doors.map((door) => open(door, lines)));
console.log(JSON.stringify({ ports }));
createInterface(process.stdin)
  .on("line", () => console.log(JSON.stringify(lines.map(({ carriedDown }) => carriedDown))))
  .once("close", () => process.exit(0));
