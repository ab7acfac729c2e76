/** The name server of a namespace, with the names of a JSON object. It prints `ready` when it answers. */
import { startNameServer } from "@hawser/gateway-remote/testing";

const names = JSON.parse(process.argv[2] ?? "{}") as Record<string, readonly string[]>;
await startNameServer(names, { host: "127.0.0.1", port: 53 });
process.stdout.write("ready\n");
