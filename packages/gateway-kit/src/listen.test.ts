import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, Server } from "node:net";
import { test } from "node:test";
import { failAccept, openFds } from "@hawser/linux-sockets/testing";
import { listen, whyNotListening } from "./listen.ts";
import { createLogger } from "./log.ts";

test("why a program cannot listen is told with the mend", () => {
  const why = (host: string, code: string): string =>
    whyNotListening({ host, port: 80 }, Object.assign(new Error("listen failed"), { code }));
  assert.match(why("127.0.0.1", "EADDRINUSE"), /^127\.0\.0\.1:80 is in use; choose another port or /);
  assert.match(
    why("::1", "EAFNOSUPPORT"),
    /^\[::1\]:80 cannot be, .*; leave it out, or .* "127\.0\.0\.1:80"$/,
  );
  assert.match(why("::", "EAFNOSUPPORT"), / such as "0\.0\.0\.0:80"$/);
  assert.match(why("vps.example", "ENOTFOUND"), /^vps\.example:80: the name does not resolve; write an IP/);
  assert.match(why("127.0.0.1", "EACCES"), / need CAP_NET_BIND_SERVICE$/);
  assert.equal(why("127.0.0.1", "ENOBUFS"), "cannot listen on 127.0.0.1:80: listen failed");
});

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
    const server = listening.mock.calls[0]?.this as Server;
    failAccept(server, errno);
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

test("where the listening socket cannot be opened again no descriptor is lost, and the next try succeeds", async (t) => {
  const logger = createLogger({ role: "remote", name: "test", level: "silent" });
  const real = Object.getOwnPropertyDescriptor(Server.prototype, "listen")?.value as () => Server;
  const failures = 5;
  let tries = 0;
  const again = Promise.withResolvers<void>();
  const listening = t.mock.method(Server.prototype, "listen", function (this: Server, ...args: unknown[]) {
    const isAgain = typeof args[0] === "object" && args[0] !== null && "fd" in args[0];
    if (!isAgain || tries === failures) {
      if (isAgain) again.resolve();
      return Reflect.apply(real, this, args);
    }
    // As Node does when uv_tcp_open(3) fails: it takes nothing, and says so in the next tick.
    tries++;
    process.nextTick(() => this.emit("error", Object.assign(new Error("open ENFILE"), { code: "ENFILE" })));
    return this;
  });
  const options = { key: "listen[0]", host: "127.0.0.1", port: 0 };
  const listener = await listen(options, logger, (socket) => socket.destroy());
  t.after(() => listener.close());
  const server = listening.mock.calls[0]?.this as Server;
  failAccept(server, "ENFILE");
  await until(() => tries === 1);
  const before = openFds();
  await until(() => tries === failures);
  assert.equal(openFds(), before);
  await again.promise;
  assert.equal(server.listening, true);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done, 20));
}
