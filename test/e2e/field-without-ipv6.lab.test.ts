/**
 * Field: a machine with `ipv6.disable=1`. A filter of system calls plays the kernel's answer: socket(2) for IPv6 fails
 * as it does there, and so the ip6tables tools cannot reach the kernel.
 */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask } from "./sockets.ts";
import { editLocal, programFile, runProgram } from "./support.ts";

/**
 * seccomp(2): in this process, whatever program it executes, socket(AF_INET6, ...) fails with EAFNOSUPPORT. The
 * instructions are classic BPF.
 */
const WITHOUT_IPV6 = `
import ctypes, os, platform, struct, sys
socket = {"x86_64": 41, "aarch64": 198}[platform.machine()]
step = lambda code, yes, no, value: struct.pack("HBBI", code, yes, no, value)
program = b"".join([
    step(0x20, 0, 0, 0), step(0x15, 0, 3, socket),
    step(0x20, 0, 0, 16), step(0x15, 0, 1, 10),
    step(0x06, 0, 0, 0x00050000 | 97), step(0x06, 0, 0, 0x7fff0000),
])
buffer = ctypes.create_string_buffer(program)
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
wanted = Filter(len(program) // 8, ctypes.addressof(buffer))
assert libc.prctl(22, 2, ctypes.byref(wanted), 0, 0) == 0, ctypes.get_errno()
os.execvp(sys.argv[1], sys.argv[1:])
`;
const WRAP = ["python3", "-c", WITHOUT_IPV6];

describe("a machine without IPv6", { skip: labMissing("python3") ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
    await hawser.local.stop();
    for (const tool of ["ip6tables-save", "ip6tables-restore"]) {
      const what = `#!/bin/sh\necho "${tool}: Cannot initialize: Address family not supported by protocol" >&2\nexit 3\n`;
      writeFileSync(hawser.file(tool), what);
      chmodSync(hawser.file(tool), 0o755);
    }
  });
  after(() => tearDown(hawser, house));

  test("a configuration with an IPv6 listener is refused, with the advice to leave the listener out", async () => {
    const file = hawser.file("local.toml");
    const { code, stderr } = await runProgram(house.router, "hawser-local", ["run", "-c", file], "", {
      wrap: WRAP,
    });
    assert.equal(code, 1);
    const what = String.raw`capture\.listen\[1\]: \[::\]:12345 cannot be, as this machine has no IPv6; leave it out, or `;
    assert.match(stderr, new RegExp(what));
  });

  test("by default the gateway captures IPv4 alone, and says so once", async () => {
    editLocal(hawser, (text) => text.replace(/^listen = \["0\.0\.0\.0:12345".*\n/m, ""));
    const PATH = `${hawser.folder}:${process.env["PATH"]}`;
    const args = [
      ...WRAP,
      process.execPath,
      programFile("hawser-local"),
      "run",
      "-c",
      hawser.file("local.toml"),
    ];
    const [command = "", ...rest] = args;
    const child = house.router.spawn(command, rest, { env: { ...process.env, PATH } });
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
    const stopped = new Promise((resolve) => child.once("exit", resolve));
    try {
      await until(async () => {
        if (child.exitCode !== null) throw new Error(log);
        return log.includes("redirect rules are in place");
      });
      const who = await ask(house.lan, { host: house.addresses.origin.v4, port: ORIGIN_PORT }, "WHO\n");
      assert.match(who, /198\.51\.100\.1 /);
      assert.equal(log.split("this machine has no IPv6: only IPv4 is captured").length, 2);
    } finally {
      child.kill("SIGTERM");
    }
    assert.equal(await stopped, 0);
    assert.doesNotMatch((await house.router.exec("iptables-save", [])).stdout, /HAWSER/);
  });
});
