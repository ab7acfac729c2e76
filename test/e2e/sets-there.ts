/** Prints whether a gateway has made its sets in this network namespace: a program of its own, as a thread stays in its own. */
import { areSetsThere } from "@hawser/gateway-local/testing";

process.stdout.write(String(await areSetsThere()));
