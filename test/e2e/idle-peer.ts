/**
 * A paired peer that joins with many subflows and then sends nothing but ACKs: `node idle-peer.ts SUBFLOWS
 * SUBFLOWS_OF_A_SESSION`, with the pairing line on stdin. It prints how many subflows have joined, and how many were
 * refused.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { FrameDecoder, FrameEncoder, PROTOCOL_VERSION, parsePairing } from "@hawser/shared-protocol";
import { clientTls, JoinError, joinSession } from "@hawser/subflow-transport";

const [count, ofSession] = process.argv.slice(2).map(Number) as [number, number];
const pairing = parsePairing((await text(process.stdin)).trim());
if (!pairing.ok) throw new Error(pairing.problem);
const { name, psk, endpoints } = pairing.value;

let [joined, refused] = [0, 0];
let session = randomBytes(16);
for (let n = 0; n < count; n++) {
  const subflow = n % ofSession;
  if (subflow === 0) session = randomBytes(16);
  await join(subflow).then(
    () => joined++,
    (error: unknown) => {
      if (!(error instanceof JoinError)) throw error;
      refused++;
    },
  );
}
console.log(joined, refused);

async function join(subflow: number): Promise<void> {
  const raw = connect(endpoints[0] as { host: string; port: number });
  await once(raw, "connect");
  const socket = await clientTls(raw, { identity: name, psk: psk.reveal(), servername: "hawser.invalid" });
  const place = { path: `line${subflow}`, index: 0, role: "active", subflow } as const;
  const { rest } = await joinSession(socket, {
    type: "hello",
    version: PROTOCOL_VERSION,
    session,
    resume: subflow > 0,
    ...place,
  });
  acknowledge(socket, rest);
}

/** Sends ACKs, since a peer that acknowledges nothing counts as dead. */
function acknowledge(socket: TLSSocket, rest: Buffer): void {
  const decoder = new FrameDecoder();
  const encoder = new FrameEncoder();
  let received = 0;
  const handle = (bytes: Buffer): void => {
    received += bytes.length;
    let isOwed = false;
    decoder.decode(bytes, {
      handleFrame: ({ type }) => {
        if (type !== "ack") isOwed = true;
        return undefined;
      },
      handleData: () => undefined,
    });
    if (!isOwed) return;
    encoder.append({ type: "ack", received, delay: 0, time: Math.round(performance.now() * 1_000) });
    socket.write(Buffer.concat(encoder.take()));
  };
  socket.on("error", () => {}).on("data", handle);
  handle(rest);
  socket.resume();
}
