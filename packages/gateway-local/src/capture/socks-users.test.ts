import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { createLogger, type Listener, Refusals } from "@hawser/gateway-kit";
import { Secret } from "@hawser/shared-protocol";
import type { SessionKeeper } from "../session-keeper.ts";
import { FairShare } from "./fair-share.ts";
import { FlowOpener } from "./flow-opener.ts";
import { SocksCapture } from "./socks.ts";

const HOST = "127.0.0.1";
const USERS = new Map([
  ["alice", Secret.fromText("wonder land")],
  ["bob", Secret.fromText("builder")],
]);
const lines: string[] = [];
const logger = createLogger({
  role: "local",
  name: "test",
  level: "debug",
  destination: { write: (line) => void lines.push(line) },
});

test("the right password is accepted after any number of wrong ones from its address; no password is logged; a reload is followed", async () => {
  // No request of this test reaches a session.
  const refusals = new Refusals(logger);
  const share = new FairShare({ room: 100, isMemoryShort: () => false, onGreedy: () => {} });
  const opener = new FlowOpener({} as SessionKeeper, share, refusals, logger);
  const config = { listen: [{ host: HOST, port: 0 }], users: USERS };
  const capture = new SocksCapture(config, opener, refusals, logger);
  const [server] = (await capture.listen()) as [Listener];

  /** The status of RFC 1929 section 2: 0 is success. */
  async function logIn(user: string, password: string, localAddress = HOST): Promise<number | undefined> {
    const socket = connect({ host: HOST, port: server.port, localAddress });
    const request = Buffer.from(`\x05\x01\x02\x01${String.fromCharCode(user.length)}${user}`);
    socket.write(Buffer.concat([request, Buffer.of(password.length), Buffer.from(password)]));
    let answer = Buffer.alloc(0);
    while (answer.length < 4) answer = Buffer.concat([answer, ...((await once(socket, "data")) as [Buffer])]);
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
    return answer[3];
  }

  assert.deepEqual([await logIn("alice", "wonder land"), await logIn("bob", "builder")], [0, 0]);
  const wrong = [
    ["alice", "builder"],
    ["bob", "wonder land"],
    ["carol", "builder"],
    ["toString", "x"],
    ...Array.from({ length: 16 }, (_, n) => ["alice", `guess ${n}`]),
  ] as [string, string][];
  for (const [user, password] of wrong) assert.equal(await logIn(user, password), 1, user);
  assert.equal(await logIn("alice", "wonder land"), 0);
  assert.deepEqual(refusals.counts, [{ listener: "socks", reason: "password", count: 20 }]);
  const users = new Map([["carol", Secret.fromText("chess")]]);
  capture.handleConfig({ ...config, users });
  assert.deepEqual(
    [await logIn("carol", "chess", "127.0.0.3"), await logIn("bob", "builder", "127.0.0.3")],
    [0, 1],
  );
  server.close();
  const log = lines.join("");
  assert.match(log, /SOCKS_AUTH_FAILED/);
  assert.doesNotMatch(log, /wonder|builder|guess/);
});
