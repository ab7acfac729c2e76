import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { parseIp } from "@hawser/shared-protocol";

/** A name server for tests. It knows some names, gives no answer for `dead*`, and denies all others (RFC 1035). */
export interface TestNameServer extends Disposable {
  readonly port: number;
  /** The names that it was asked for, with the type of address: `A origin.example`. */
  readonly asked: readonly string[];
}

export async function startNameServer(
  names: Readonly<Record<string, readonly string[]>>,
  { host = "127.0.0.1", port = 0 } = {},
): Promise<TestNameServer> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${type === TYPES.A ? "A" : "AAAA"} ${name}`);
    if (name.startsWith("dead")) return;
    const addresses = names[name]?.filter((address) => isIPv4(address) === (type === TYPES.A));
    socket.send(answer(query.subarray(0, end), type, addresses), from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, "listening");
  return { port: socket.address().port, asked, [Symbol.dispose]: () => void socket.close() };
}

const TYPES = { A: 1, AAAA: 28 };
const NAME_ERROR = 3;

/** Section 4.1.2. `end` is the end of the question. */
function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Section 4.1: the query's id and question, and a record for each address; undefined is no such name. */
function answer(question: Buffer, type: number, addresses: readonly string[] | undefined): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(addresses ? 0x8180 : 0x8180 | NAME_ERROR, 2);
  head.writeUInt16BE(addresses?.length ?? 0, 6);
  head.writeUInt32BE(0, 8);
  const records = (addresses ?? []).map((address) => {
    const data = parseIp(address) ?? Buffer.alloc(0);
    const record = Buffer.alloc(12);
    // The name is the question's (section 4.1.4), the class IN, the life a minute.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}
