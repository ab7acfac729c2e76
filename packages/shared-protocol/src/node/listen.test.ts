import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, Server } from "node:net";
import { constants } from "node:os";
import { test } from "node:test";
import { listen } from "./listen.ts";
import { createLogger } from "./log.ts";

/** What libuv calls when accept(2) has failed. */
interface ServerHandle {
  onconnection(status: number): void;
}

for (const errno of ["ENFILE", "EMFILE"] as const) {
  test(`after ${errno} of accept connections wait in the backlog, and are served a moment later`, async (t) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ role: "remote", name: "test", level: "info", destination });
    const listening = t.mock.method(Server.prototype, "listen");
    let served = 0;
    const options = { key: "listen[0]", host: "127.0.0.1", port: 0 };
    const listener = await listen(options, logger, (socket) => {
      served++;
      socket.destroy();
    });
    t.after(() => listener.close());
    const server = listening.mock.calls[0]?.this as Server & { _handle: ServerHandle | null };
    server._handle?.onconnection(-constants.errno[errno]);
    assert.equal(server.listening, false);
    const client = connect(listener.port, "127.0.0.1").resume();
    await once(client, "connect");
    assert.equal(served, 0);
    await once(client, "close");
    assert.equal(served, 1);
    const [short = "", on = "", ...more] = lines;
    assert.match(short, new RegExp(`"level":"warn".*"code":"${errno}".*descriptors run short`));
    assert.match(on, /accepts connections again/);
    assert.deepEqual(more, []);
  });
}
