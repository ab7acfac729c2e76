import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { path } from "./testing.ts";
import { firstWords, whatAnswers } from "./what-answers.ts";

for (const [answer, words] of [
  ["SSH-2.0-OpenSSH_9.2p1\r\n", "SSH-2.0-OpenSSH_9.2p1"],
  [
    "HTTP/1.1 302 Found\r\nLocation: http://portal/login\r\n\r\n",
    "HTTP/1.1 302 Found, to http://portal/login",
  ],
  ["HTTP/1.0 200 OK\r\n\r\nLocation: x", "HTTP/1.0 200 OK"],
  ["\x15\x03\x01\x00\x02", undefined],
  ["", undefined],
  ["220 mail\x1b[31m", "220 mail?[31m"],
] as const) {
  test(`first words of ${JSON.stringify(answer)}`, () => {
    assert.equal(firstWords(answer), words);
  });
}

async function answerOf(onConnection: (socket: Socket) => void): Promise<string | undefined> {
  const server = createServer(onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: "127.0.0.1", port };
  const said = await whatAnswers(path("p", { source: "127.0.0.1" }), {
    address: "127.0.0.1",
    family: 4,
    endpoint,
  });
  server.close();
  return said;
}

test("a server that greets is heard; one that waits is asked as a web server is; one that hangs up is silent", async () => {
  assert.equal(await answerOf((socket) => void socket.end("SSH-2.0-x\r\n")), "SSH-2.0-x");
  const web = (socket: Socket): void =>
    void socket.once("data", (asked) =>
      socket.end(`HTTP/1.1 200 ${String(asked).startsWith("GET / HTTP/1.1\r\n") ? "OK" : "WHAT"}\r\n\r\n`),
    );
  assert.equal(await answerOf(web), "HTTP/1.1 200 OK");
  assert.equal(await answerOf((socket) => void socket.destroy()), undefined);
});
