import assert from "node:assert/strict";
import { isIP, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { encodeAddress } from "socksv5";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, SOCKS_PORT } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, ORIGIN_PORT, startOrigin, upload } from "../lab/traffic/run.ts";
import { giveEtc } from "./etc.ts";
import { connectFrom, listenIn, Reader } from "./sockets.ts";
import { connectRequest, NO_AUTH } from "./socks-client.ts";
import { reconfigure } from "./support.ts";

/** A name that the remote gateway's machine resolves rightly and the router wrongly. */
const NAME = "origin.example";
const USERS = { alice: "wonder land", bob: "b" };

describe("SOCKS5", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  const etc: Disposable[] = [];
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    const { v4, v6 } = house.addresses.origin;
    // No name server answers, so a name that is in no hosts file does not resolve.
    const resolver = { "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" };
    etc.push(giveEtc(house.remote, { hosts: `${v4} ${NAME}\n${v6} six.example\n`, ...resolver }));
    etc.push(giveEtc(house.router, { hosts: `127.0.0.1 ${NAME} six.example\n`, ...resolver }));
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house, ...etc));

  /** A client in the LAN that has sent these bytes to the SOCKS endpoint. */
  function client(...parts: readonly (Buffer | string)[]): { socket: Socket; reader: Reader } {
    const socket = connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: SOCKS_PORT });
    const reader = new Reader(socket);
    socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
    return { socket, reader };
  }

  /** The reply code to a CONNECT. Asserts that the connection then ends. */
  async function refusal(host: string, port = ORIGIN_PORT): Promise<number> {
    const { socket, reader } = client(NO_AUTH, connectRequest(host, port));
    await reader.end();
    socket.end();
    assert.equal(reader.length, 2 + 10, `${reader.text.length} bytes came`);
    return reader.text.charCodeAt(3);
  }

  for (const [what, host, remote] of [
    ["an IPv4 address", "198.51.100.10", "::ffff:198.51.100.1"],
    ["an IPv6 address", "2001:db8:100::10", "2001:db8:100::1"],
    ["a name of an IPv4 address", NAME, "::ffff:198.51.100.1"],
    ["a name of an IPv6 address", "six.example", "2001:db8:100::1"],
  ] as const) {
    test(`CONNECT to ${what}: the reply says where the remote gateway is bound`, async () => {
      const { socket, reader } = client(NO_AUTH, connectRequest(host, ORIGIN_PORT));
      const bound = remote.replace("::ffff:", "");
      await reader.bytes(2 + 4 + (isIP(bound) === 4 ? 4 : 16) + 2);
      const reply = Buffer.from(reader.text, "latin1");
      assert.equal(reply.toString("hex", 0, 5), "0500050000");
      reader.clear();
      socket.end("WHO\n");
      await reader.end();
      const port = reply.readUInt16BE(reply.length - 2);
      assert.equal(reader.text, `${remote} ${port}\n`);
      const address = Buffer.from(encodeAddress(bound, port) as Uint8Array);
      assert.equal(reply.toString("hex", 5), address.toString("hex"));
    });
  }

  test("bytes that the client sends ahead of the replies go along", async () => {
    const { socket, reader } = client(NO_AUTH, connectRequest(NAME, ORIGIN_PORT), "ECHO\nearly ");
    socket.end("and late");
    await reader.end();
    assert.equal(reader.text.slice(12), "early and late");
  });

  test("a request that comes byte by byte is understood", async () => {
    const { socket, reader } = client();
    for (const byte of [...NO_AUTH, ...connectRequest(NAME, ORIGIN_PORT)]) {
      await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    }
    await reader.bytes(12);
    socket.end("ONE\n");
    await reader.end();
    assert.equal(reader.text.slice(12), "1");
  });

  test("a refused destination gets reply 5", async () => {
    assert.equal(await refusal(house.addresses.origin.v4, 1), 5);
    assert.equal(await refusal(house.addresses.origin.v6, 1), 5);
    assert.equal(await refusal(NAME, 1), 5);
  });

  test("unreachable networks and hosts get replies 3 and 4, a forbidden destination gets reply 2", async () => {
    await house.remote.ip([
      "-4 route add unreachable 198.18.0.4/32",
      "-6 route add unreachable 2001:db8:bad::4/128",
      "-4 route add prohibit 198.18.0.2/32",
    ]);
    assert.equal(await refusal("192.0.2.1"), 3);
    assert.equal(await refusal("2001:db8:bad::1"), 3);
    assert.equal(await refusal("198.18.0.4"), 4);
    assert.equal(await refusal("2001:db8:bad::4"), 4);
    assert.equal(await refusal("198.18.0.2"), 2);
  });

  test("a name that does not resolve gets reply 4", async () => {
    assert.equal(await refusal("nowhere.example"), 4);
  });

  test("a destination that does not answer gets reply 6", async () => {
    await house.remote.exec("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/tcp_syn_retries"]);
    await house.origin.exec("iptables", ["-A", "INPUT", "-p", "tcp", "--dport", "99", "-j", "DROP"]);
    assert.equal(await refusal(house.addresses.origin.v4, 99), 6);
  });

  test("anything but a SOCKS5 CONNECT is answered by RFC 1928, and closed", async () => {
    for (const [bytes, answer] of [
      [Buffer.of(4, 1, 0, 80, 1, 2, 3, 4, 0), "005b000000000000"],
      [Buffer.of(5, 1, 2), "05ff"],
      [Buffer.of(5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80), "050005070001000000000000"],
      [Buffer.of(5, 1, 0, 5, 1, 0, 9, 1, 2, 3, 4, 0, 80), "050005080001000000000000"],
    ] as const) {
      const { socket, reader } = client(bytes);
      await reader.end();
      assert.equal(Buffer.from(reader.text, "latin1").toString("hex"), answer);
      socket.destroy();
    }
  });

  test("an HTTP client is told over HTTP that this is a SOCKS port", async () => {
    const { socket, reader } = client("GET / HTTP/1.1\r\n\r\n");
    await reader.end();
    assert.match(reader.text, /^HTTP\/1\.1 400 .*SOCKS5/);
    socket.destroy();
  });

  test("transfers both ways, by address and by name", async () => {
    const socks = { host: house.addresses.lan.router.v4, port: SOCKS_PORT };
    for (const host of [house.addresses.origin.v6, NAME]) {
      const target = { host, port: ORIGIN_PORT, socks, bytes: 5_000_000 };
      assert.equal((await download(house.lan, target)).error, null);
      assert.equal((await upload(house.lan, target)).error, null);
    }
  });

  test("a client that leaves or resets during its handshake leaves nothing behind", async () => {
    const listener = await listenIn(house.origin);
    const { socket, reader } = client(NO_AUTH, connectRequest(house.addresses.origin.v4, listener.port));
    const server = await listener.accept();
    await reader.bytes(12);
    assert.equal((await hawser.flows()).length, 1);
    socket.resetAndDestroy();
    assert.equal(await new Reader(server).error(), "ECONNRESET");
    for (const bytes of [[], [5], [5, 2, 0], [5, 1, 0, 5, 1, 0, 3, 200]]) {
      client(Buffer.from(bytes)).socket.resetAndDestroy();
      const leaving = client(Buffer.from(bytes));
      leaving.socket.end();
      await leaving.reader.end();
    }
    listener.close();
    assert.deepEqual(await hawser.flows(), []);
  });

  describe("with users", () => {
    before(async () => {
      const users = Object.entries(USERS).map(([user, password]) => `${user} = ${JSON.stringify(password)}`);
      const table = `[socks]\nusers = { ${users.join(", ")} }\n`;
      await reconfigure(hawser, (text) => text.replace("[socks]\n", table));
    });

    function credentials(user: string, password: string): Buffer {
      return Buffer.concat([
        Buffer.of(5, 2, 0, 2, 1, user.length),
        Buffer.from(user),
        Buffer.of(password.length),
        Buffer.from(password),
      ]);
    }

    test("the right password lets in", async () => {
      for (const [user, password] of Object.entries(USERS)) {
        const request = connectRequest(NAME, ORIGIN_PORT);
        const { socket, reader } = client(credentials(user, password), request, "ONE\n");
        await reader.end();
        socket.end();
        assert.equal(reader.text.slice(0, 6), "\x05\x02\x01\x00\x05\x00");
        assert.equal(reader.text.slice(4 + 10), "1");
      }
    });

    test("a wrong password, or none, does not; the gateway goes on", async () => {
      for (const [user, password] of [
        ["alice", "wonderland"],
        ["alice", USERS.bob],
        ["carol", "b"],
        ["__proto__", "b"],
      ] as const) {
        const { socket, reader } = client(
          credentials(user, password),
          connectRequest(NAME, ORIGIN_PORT),
          "ONE\n",
        );
        await reader.end();
        socket.end();
        assert.equal(reader.text, "\x05\x02\x01\x01");
      }
      const { reader } = client(NO_AUTH, connectRequest(NAME, ORIGIN_PORT));
      await reader.end();
      assert.equal(reader.text, "\x05\xff");
      assert.ok(!hawser.local.logText().includes(USERS.alice));
    });

    test("curl, with a name and a password", async () => {
      const fetch = (password: string): Promise<{ stdout: string }> => {
        const proxy = `socks5h://alice:${encodeURIComponent(password)}@${house.addresses.lan.router.v4}:${SOCKS_PORT}`;
        return house.lan.exec(
          "curl",
          ["-sS", "--http0.9", "--proxy", proxy, `telnet://${NAME}:${ORIGIN_PORT}`],
          {
            input: "ONE\n",
          },
        );
      };
      assert.equal((await fetch(USERS.alice)).stdout, "1");
      await assert.rejects(fetch("wrong"), /User was rejected|rejected by the SOCKS5 server/i);
    });
  });
});
