/**
 * The lines of a house, as a process of its own: `node main.ts CONFIG-JSON`, requests on stdin, replies on stdout.
 * It never returns to the event loop, so that nothing but a packet, a due time or a request wakes it. It ends when
 * stdin does; the devices end with it.
 */
import { Control } from "./control.ts";
import { LineDirection } from "./line-model.ts";
import { type Link, runLoop } from "./loop.ts";
import { PacketPool } from "./packet-pool.ts";
import { type EmulatorConfig, fromWire } from "./protocol.ts";
import { becomePunctual, openTun } from "./syscalls.ts";

/** Packets under way per direction: a second of 100 Mbit/s in full packets, or 65 000 acknowledgements. */
const RING_PACKETS = 1 << 16;
/** The packets of all lines together: 100 MB of address space, of which only used pages become memory. */
const POOL_PACKETS = 1 << 16;

const config = JSON.parse(process.argv[2] ?? "null") as EmulatorConfig;
const links: Link[] = [];
const control = new Control();
for (const [index, line] of config.lines.entries()) {
  const router = openTun(line.routerNamespace, line.name);
  const remote = openTun(line.remoteNamespace, line.name);
  const seed = config.seed + 2 * index;
  const down = new LineDirection(fromWire(line.down), seed, RING_PACKETS);
  const up = new LineDirection(fromWire(line.up), seed + 1, RING_PACKETS);
  links.push({ input: remote, output: router, line: down }, { input: router, output: remote, line: up });
  control.addLine(line.name, down, up);
}
control.send({ ready: true, realtime: becomePunctual() });
runLoop(links, new PacketPool(POOL_PACKETS), control);
process.exit(0);
