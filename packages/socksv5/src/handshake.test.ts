import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_BUFFERED_BYTES } from "./constants.ts";
import { SocksHandshake, type SocksHandshakeOptions, type SocksStep } from "./handshake.ts";
import { passwordTable } from "./password-auth.ts";

const WITH_USERS: SocksHandshakeOptions = { authenticate: passwordTable({ alice: "wonder" }) };

const GREETING = "050100";
const GREETING_BOTH = "05020002";
const PASSWORD = "0105616c69636506776f6e646572";
const TO_IPV4 = "05010001c000020701bb";
const TO_IPV6 = "0501000420010db800000000000000000000000101bb";
const TO_DOMAIN = `050100030b${Buffer.from("example.org").toString("hex")}01bb`;

/** What the steps amount to, however they were cut: bytes sent, the request, application data, the error. */
interface Outcome {
  sent: string;
  request: unknown;
  data: string;
  error: string | undefined;
}

function summarize(steps: SocksStep[]): Outcome {
  const outcome: Outcome = { sent: "", request: undefined, data: "", error: undefined };
  for (const step of steps) {
    assert.equal(outcome.error, undefined, "nothing follows a close");
    if (step.type === "send") outcome.sent += Buffer.from(step.bytes).toString("hex");
    else if (step.type === "close") outcome.error = step.error.code;
    else if (step.type === "data") outcome.data += Buffer.from(step.bytes).toString("hex");
    else {
      outcome.request = step.request;
      outcome.data += Buffer.from(step.leftover).toString("hex");
    }
  }
  return outcome;
}

/** Feeds pieces out of one buffer that is overwritten after each, as a pooled read buffer would be. */
function feed(options: SocksHandshakeOptions, input: Buffer, pieceSize: number): Outcome {
  const handshake = new SocksHandshake(options);
  const pool = Buffer.alloc(pieceSize);
  const steps: SocksStep[] = [];
  for (let at = 0; at < input.length; at += pieceSize) {
    const piece = pool.subarray(0, input.copy(pool, 0, at, at + pieceSize));
    // A data step is the caller's own memory, so it is looked at before the memory is used again.
    steps.push(
      ...handshake
        .handle(piece)
        .map((s) => (s.type === "data" ? { ...s, bytes: Uint8Array.from(s.bytes) } : s)),
    );
    assert.ok(handshake.bufferedBytes <= MAX_BUFFERED_BYTES);
    pool.fill(0xee);
  }
  return summarize(steps);
}

/** The outcome, having checked that it is the same for every way to cut the input. */
function outcome(options: SocksHandshakeOptions, hex: string): Outcome {
  const input = Buffer.from(hex, "hex");
  const whole = feed(options, input, input.length);
  for (const size of [1, 2, 3, 5, 7, 64])
    assert.deepEqual(feed(options, input, size), whole, `pieces of ${size}`);
  return whole;
}

function connect(host: string, type: string, user?: string) {
  const address = { type, host, port: 443 };
  return user === undefined ? { address } : { address, user };
}

test("CONNECT to each address type, pipelined with application data", () => {
  for (const [hex, host, type] of [
    [TO_IPV4, "192.0.2.7", "ipv4"],
    [TO_IPV6, "2001:db8::1", "ipv6"],
    [TO_DOMAIN, "example.org", "domain"],
  ] as const) {
    const plain = outcome({}, `${GREETING}${hex}160301abcdef`);
    assert.deepEqual(plain, {
      sent: "0500",
      request: connect(host, type),
      data: "160301abcdef",
      error: undefined,
    });
    const authenticated = outcome(WITH_USERS, `${GREETING_BOTH}${PASSWORD}${hex}47`);
    const request = connect(host, type, "alice");
    assert.deepEqual(authenticated, { sent: "05020100", request, data: "47", error: undefined });
  }
});

test("an IP literal sent as a name is an address; the longest name is taken", () => {
  const named = (host: string) => {
    const name = Buffer.from(host);
    return `${GREETING}05010003${Buffer.of(name.length).toString("hex")}${name.toString("hex")}01bb`;
  };
  assert.deepEqual(outcome({}, named("127.0.0.1")).request, connect("127.0.0.1", "ipv4"));
  assert.deepEqual(outcome({}, named("0:0::1")).request, connect("::1", "ipv6"));
  assert.deepEqual(outcome({}, named("[2001:db8:113::10]")).request, connect("2001:db8:113::10", "ipv6"));
  assert.deepEqual(outcome({}, named("[203.0.113.10]")).request, connect("203.0.113.10", "ipv4"));
  assert.deepEqual(outcome({}, named("::ffff:192.0.2.7")).request, connect("192.0.2.7", "ipv4"));
  const mapped = `${GREETING}05010004${"00".repeat(10)}ffffc000020701bb`;
  assert.deepEqual(outcome({}, mapped).request, connect("192.0.2.7", "ipv4"));
  for (const odd of ["[example.org]", "[]", "[::1", "::1]", "[[::1]]", "[fe80::1%eth0]"])
    assert.deepEqual(outcome({}, named(odd)).request, connect(odd, "domain"));
  assert.deepEqual(outcome({}, named("bücher.example")).request, connect("bücher.example", "domain"));
  const long = `${"a".repeat(63)}.`.repeat(4).slice(0, 255);
  assert.deepEqual(outcome({}, named(long)).request, connect(long, "domain"));
});

test("the method: exactly the one that is configured", () => {
  assert.equal(outcome(WITH_USERS, "05020002").sent, "0502");
  assert.equal(outcome({}, "0503020100").sent, "0500");
  for (const [options, greeting] of [
    [WITH_USERS, "050100"],
    [{}, "050102"],
    [{}, "0500"],
    [{}, "0502fffe"],
  ] as const) {
    const { sent, error } = outcome(options, `${greeting}aabbcc`);
    assert.deepEqual([sent, error], ["05ff", "SOCKS_NO_ACCEPTABLE_METHOD"], greeting);
  }
});

test("a failed authentication is answered with status 1, then closed", () => {
  const cases: [string, string][] = [
    ["0105616c69636505776f6e6465", "SOCKS_AUTH_FAILED"],
    ["0103626f6206776f6e646572", "SOCKS_AUTH_FAILED"],
    ["0505616c69636506776f6e646572", "SOCKS_AUTH_MALFORMED"],
    ["010006776f6e646572", "SOCKS_AUTH_MALFORMED"],
    ["0105616c69636500", "SOCKS_AUTH_MALFORMED"],
    ["0105616c69ff6506776f6e646572", "SOCKS_AUTH_MALFORMED"],
  ];
  for (const [password, code] of cases) {
    const result = outcome(WITH_USERS, `${GREETING_BOTH}${password}${TO_IPV4}`);
    assert.deepEqual(result, { sent: "05020101", request: undefined, data: "", error: code }, password);
  }
});

test("a check that throws lets nobody in", () => {
  const authenticate = () => {
    throw new Error("database away");
  };
  assert.equal(outcome({ authenticate }, `${GREETING_BOTH}${PASSWORD}`).error, "SOCKS_AUTH_FAILED");
});

test("requests that are not served get the reply that says why", () => {
  const reply = (rep: string) => `0500${`05${rep}0001000000000000`}`;
  const cases: [string, string, string][] = [
    ["05020001c000020701bb", "07", "SOCKS_COMMAND_UNSUPPORTED"],
    ["05030001000000000000", "07", "SOCKS_COMMAND_UNSUPPORTED"],
    ["05f00001c000020701bb", "07", "SOCKS_COMMAND_UNSUPPORTED"],
    ["05010002c000020701bb", "08", "SOCKS_ADDRESS_TYPE_UNSUPPORTED"],
    ["0501000300", "01", "SOCKS_DOMAIN_INVALID"],
    ["050100030361006201bb", "01", "SOCKS_DOMAIN_INVALID"],
    ["0501000303610a6201bb", "01", "SOCKS_DOMAIN_INVALID"],
    ["050100030361206201bb", "01", "SOCKS_DOMAIN_INVALID"],
    ["050100030361ff6201bb", "01", "SOCKS_DOMAIN_INVALID"],
    ["05010001c00002070000", "01", "SOCKS_PORT_INVALID"],
    ["04010001c000020701bb", "01", "SOCKS_REQUEST_MALFORMED"],
  ];
  for (const [request, rep, code] of cases) {
    const result = outcome({}, `${GREETING}${request}deadbeef`);
    assert.deepEqual(result, { sent: reply(rep), request: undefined, data: "", error: code }, request);
  }
});

test("other protocols are named in the error, and answered in their own words where there are some", () => {
  const http = /^HTTP\/1\.1 400 [^]*\r\nContent-Length: 81\r\n[^]*\r\n\r\n.{80}\n$/;
  const cases: [string, string, RegExp, RegExp?][] = [
    ["0401005012345678", "SOCKS_CLIENT_SPEAKS_SOCKS4", /SOCKS4/, /^\0\x5b\0{6}$/],
    [Buffer.from("GET / HTTP/1.1\r\n").toString("hex"), "SOCKS_CLIENT_SPEAKS_HTTP", /'G'.*HTTP/, http],
    [Buffer.from("CONNECT a:443").toString("hex"), "SOCKS_CLIENT_SPEAKS_HTTP", /'C'.*HTTP/, http],
    ["160301", "SOCKS_CLIENT_SPEAKS_TLS", /TLS/],
    ["00", "SOCKS_VERSION", /0x00/],
  ];
  for (const [input, code, message, answer] of cases) {
    const steps = new SocksHandshake().handle(Buffer.from(input, "hex"));
    const sent = steps.flatMap((step) =>
      step.type === "send" ? [Buffer.from(step.bytes).toString("latin1")] : [],
    );
    if (answer) assert.match(sent.join(""), answer);
    else assert.deepEqual(sent, []);
    const last = steps.at(-1);
    assert.ok(last?.type === "close");
    assert.equal(last.error.code, code);
    assert.match(last.error.message, message);
  }
});

test("after the end nothing more is made of the bytes", () => {
  const closed = new SocksHandshake();
  closed.handle(Buffer.of(0));
  assert.deepEqual(closed.handle(Buffer.from(GREETING, "hex")), []);
  const finished = new SocksHandshake();
  finished.handle(Buffer.from(GREETING + TO_IPV4, "hex"));
  assert.equal(finished.state, "done");
  const bytes = Buffer.from(GREETING, "hex");
  assert.deepEqual(finished.handle(bytes), [{ type: "data", bytes }]);
  assert.deepEqual(finished.handle(Buffer.alloc(0)), []);
});

test("an end of stream is an error only within a handshake", () => {
  assert.equal(new SocksHandshake().handleEnd(), undefined, "a port check sends nothing");
  const cut = new SocksHandshake();
  cut.handle(Buffer.from(`${GREETING}0501`, "hex"));
  assert.equal(cut.handleEnd()?.code, "SOCKS_TRUNCATED");
  assert.deepEqual([cut.state, cut.bufferedBytes], ["closed", 0]);
  const finished = new SocksHandshake();
  finished.handle(Buffer.from(GREETING + TO_IPV4, "hex"));
  assert.equal(finished.handleEnd(), undefined);
});

/** A small seeded generator, so that a failing seed can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Garbage that gets far: valid messages, some of them mutated, then noise. */
function garbage(next: (below: number) => number): Buffer {
  const parts = [
    GREETING,
    GREETING_BOTH,
    PASSWORD,
    TO_IPV4,
    TO_IPV6,
    TO_DOMAIN,
    "01ff",
    "05010003ff",
    "05ff",
  ];
  const start = next(2) === 0 ? [] : [next(2) === 0 ? GREETING : GREETING_BOTH + PASSWORD];
  const middle = Array.from({ length: next(4) }, () => parts[next(parts.length)] ?? "");
  const noise = Buffer.from(Array.from({ length: next(600) }, () => next(256)));
  const input = Buffer.concat([Buffer.from([...start, ...middle].join(""), "hex"), noise]);
  for (let i = next(4); i > 0 && input.length > 0; i--) input[next(input.length)] = next(256);
  return input;
}

test("20 000 seeds of garbage: no throw, bounded memory, the same outcome for every cut", () => {
  for (let seed = 0; seed < 20_000; seed++) {
    const next = random(seed);
    const input = garbage(next);
    if (input.length === 0) continue;
    const options = next(2) === 0 ? {} : WITH_USERS;
    const whole = feed(options, input, input.length);
    assert.deepEqual(feed(options, input, 1 + next(40)), whole, `seed ${seed}`);
  }
});
