import { run } from "./run.ts";
import { initConfig, addPeer } from "./peers.ts";
export async function main(argv: string[]): Promise<void> {
  if (argv[2] === "init") return initConfig(argv[4]!, { listen: {host:"127.0.0.1",port:4433}, advertise: [] });
  if (argv[2] === "pair") { console.log(addPeer(argv[4]!, "home")); return; }
  await run(argv[4]!); process.exit(0); }
