/** Programs of Debian that know nothing of the gateways. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { Pattern } from "../lab/traffic/pattern.ts";
import { giveEtc } from "./etc.ts";
import { programFile, TWO_VETHS } from "./support.ts";

const NAME = "origin.example";
const FAMILIES = ["v4", "v6"] as const;
const HTTP_PORT = 80;
const SSH_PORT = 22;
const IPERF_PORT = 5201;
const FILE_BYTES = 5_000_000;

/** Why a test of these commands is skipped; false when it is not. */
function lacking(...commands: readonly string[]): string | false {
  const missing = commands.filter((command) => findCommand(command) === undefined);
  return missing.length > 0 && `${missing.join(" and ")} is not installed here`;
}

function findCommand(command: string): string | undefined {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  try {
    const found = execFileSync("sh", ["-c", 'command -v "$0"', command], {
      encoding: "utf8",
      env: { PATH: path },
    });
    return found.trim();
  } catch {
    return undefined;
  }
}

describe("real clients", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let folder: string;
  let etc: Disposable;
  const sha256 = new Pattern(7).sha256(FILE_BYTES);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hawser-clients-"));
    chmodSync(folder, 0o755);
    house = await House.create({
      lines: TWO_VETHS,
    });
    const { v4, v6 } = house.addresses.origin;
    etc = giveEtc(house.remote, { hosts: `${v4} ${NAME}\n${v6} ${NAME}\n` });
    hawser = await Hawser.start(house);
  });
  after(async () => {
    await hawser?.stop();
    await house?.close();
    etc?.[Symbol.dispose]();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  function file(name: string): string {
    return join(folder, name);
  }

  function hashOf(name: string): string {
    return createHash("sha256")
      .update(readFileSync(file(name)))
      .digest("hex");
  }

  /** The origin's address in the spelling of URLs. */
  function bracketed(family: "v4" | "v6"): string {
    const address = house.addresses.origin[family];
    return family === "v6" ? `[${address}]` : address;
  }

  /** Waits until a server listens on this port. */
  function listening(port: number): Promise<void> {
    return until(async () => (await house.origin.exec("ss", ["-Htln", `sport = :${port}`])).stdout !== "");
  }

  /** How many connections to this port the remote gateway has dialled so far. */
  async function carried(): Promise<number> {
    return (await hawser.status()).session.flows.total;
  }

  describe("of the web", { skip: lacking("nginx") }, () => {
    before(async () => {
      mkdirSync(file("www"));
      const pieces: Buffer[] = [];
      for (let at = 0; at < FILE_BYTES; at += 500_000)
        pieces.push(Buffer.from(new Pattern(7).piece(at, 500_000)));
      writeFileSync(file("www/data"), Buffer.concat(pieces));
      const images = Array.from({ length: 20 }, (_, index) => `<img src="/dot-${index}.svg">`).join("");
      writeFileSync(
        file("www/index.html"),
        `<!doctype html><title>t</title>${images}<p id="who">nobody</p>
         <script>addEventListener("load", async () => {
           const big = await (await fetch("/data")).arrayBuffer();
           const loaded = [...document.images].filter((image) => image.naturalWidth > 0).length;
           document.getElementById("who").textContent = "loaded " + loaded + " images and " + big.byteLength + " bytes";
         });</script>`,
      );
      const dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>';
      for (let index = 0; index < 20; index++) writeFileSync(file(`www/dot-${index}.svg`), dot);
      writeFileSync(
        file("nginx.conf"),
        `user root; daemon off; pid ${file("nginx.pid")}; error_log ${file("nginx.log")};
         events {}
         http {
           access_log off;
           types { text/html html; image/svg+xml svg; }
           ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${file(name)};`).join(" ")}
           server { listen ${HTTP_PORT}; listen [::]:${HTTP_PORT}; root ${file("www")}; }
         }`,
      );
      house.origin.spawn(findCommand("nginx") as string, ["-c", file("nginx.conf")], { stdio: "ignore" });
      await listening(HTTP_PORT);
    });

    for (const family of FAMILIES) {
      test(`curl, redirected, ${family}`, { skip: lacking("curl") }, async () => {
        const before = await carried();
        const url = `http://${bracketed(family)}/data`;
        await house.lan.exec("curl", ["-sS", "--fail", "--max-time", "20", "-o", file("curl"), url]);
        assert.equal(hashOf("curl"), sha256);
        assert.equal((await carried()) - before, 1);
      });

      test(`wget, redirected, ${family}`, { skip: lacking("wget") }, async () => {
        const before = await carried();
        await house.lan.exec("wget", [
          "-q",
          "-T",
          "20",
          "-O",
          file("wget"),
          `http://${bracketed(family)}/data`,
        ]);
        assert.equal(hashOf("wget"), sha256);
        assert.equal((await carried()) - before, 1);
      });
    }

    test("curl through SOCKS5, with a name that the remote gateway resolves", {
      skip: lacking("curl"),
    }, async () => {
      const socks = `${house.addresses.lan.router.v4}:${SOCKS_PORT}`;
      const args = ["-sS", "--fail", "--max-time", "20", "--socks5-hostname", socks, "-o", file("socks")];
      await house.lan.exec("curl", [...args, `http://${NAME}/data`]);
      assert.equal(hashOf("socks"), sha256);
    });

    test("Chromium through SOCKS5: a page with scripts and many parts", {
      skip: lacking("chromium"),
    }, async () => {
      const socks = `socks5://${house.addresses.lan.router.v4}:${SOCKS_PORT}`;
      const { stdout } = await house.lan.exec(
        "chromium",
        [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          `--user-data-dir=${file("chromium")}`,
          `--proxy-server=${socks}`,
          "--timeout=20000",
          "--virtual-time-budget=15000",
          "--dump-dom",
          `http://${NAME}/index.html`,
        ],
        { timeoutMs: 40_000, env: { ...process.env, HOME: folder } },
      );
      assert.match(stdout, new RegExp(`loaded 20 images and ${FILE_BYTES} bytes`));
    });
  });

  describe("of SSH", { skip: lacking("sshd", "ssh", "scp", "ssh-keygen") }, () => {
    let options: string[];
    before(async () => {
      for (const name of ["host", "client"]) {
        execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file(name)]);
      }
      writeFileSync(file("authorized"), readFileSync(file("client.pub")), { mode: 0o600 });
      writeFileSync(
        file("sshd_config"),
        [
          `Port ${SSH_PORT}`,
          `HostKey ${file("host")}`,
          `AuthorizedKeysFile ${file("authorized")}`,
          `PidFile ${file("sshd.pid")}`,
          "PasswordAuthentication no",
          "PermitRootLogin prohibit-password",
          "StrictModes no",
          "UsePAM no",
          "Subsystem sftp internal-sftp",
          "",
        ].join("\n"),
      );
      mkdirSync("/run/sshd", { recursive: true });
      house.origin.spawn(findCommand("sshd") as string, ["-D", "-e", "-f", file("sshd_config")], {
        stdio: "ignore",
      });
      await listening(SSH_PORT);
      const settings = {
        IdentityFile: file("client"),
        UserKnownHostsFile: file("known"),
        StrictHostKeyChecking: "accept-new",
        BatchMode: "yes",
        ConnectTimeout: "10",
      };
      options = [
        "-F",
        "none",
        ...Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]),
      ];
    });

    const user = userInfo().username;

    for (const family of FAMILIES) {
      test(`ssh and scp both ways, redirected, ${family}`, async () => {
        const before = await carried();
        const login = `${user}@${house.addresses.origin[family]}`;
        const { stdout } = await house.lan.exec("ssh", [...options, login, "cat; echo $SSH_CONNECTION"], {
          input: "said by the client\n",
        });
        const from = family === "v4" ? "198.51.100.1" : "2001:db8:100::1";
        assert.match(stdout, new RegExp(`^said by the client\n${from} `));
        writeFileSync(file("original"), Buffer.from(new Pattern(7).piece(0, 500_000)));
        const remote = `${user}@${bracketed(family)}:`;
        await house.lan.exec("scp", [...options, "-q", file("original"), `${remote}${file("there")}`]);
        await house.lan.exec("scp", [...options, "-q", `${remote}${file("there")}`, file("back")]);
        assert.equal(hashOf("back"), hashOf("original"));
        assert.equal((await carried()) - before, 3);
      });
    }

    test("ssh with `hawser-local connect` as its ProxyCommand", async () => {
      const connect = `${process.execPath} ${programFile("hawser-local")} connect -c ${hawser.file("local.toml")} %h %p`;
      const args = [...options, "-o", `ProxyCommand=${connect}`, `${user}@${NAME}`, "echo $SSH_CONNECTION"];
      const { stdout } = await house.router.exec("ssh", args);
      assert.match(stdout, /^(198\.51\.100\.1|2001:db8:100::1) /);
    });
  });

  describe("iperf3", { skip: lacking("iperf3") }, () => {
    for (const family of FAMILIES) {
      for (const way of ["up", "down"] as const) {
        test(`${way}, four streams, ${family}`, async () => {
          // Each test has a server of its own, since a server is busy for a moment after its client has gone.
          const server = house.origin.spawn("iperf3", ["-s", "-1", "-p", String(IPERF_PORT)], {
            stdio: "ignore",
          });
          const over = once(server, "exit");
          await listening(IPERF_PORT);
          const args = [
            "-c",
            house.addresses.origin[family],
            "-p",
            String(IPERF_PORT),
            "-t",
            "1",
            "-P",
            "4",
            "-J",
          ];
          const { stdout } = await house.lan.exec("iperf3", way === "down" ? [...args, "-R"] : args, {
            timeoutMs: 20_000,
          });
          const { end, error } = JSON.parse(stdout) as {
            end: { sum_received: { bytes: number } };
            error?: string;
          };
          await over;
          assert.equal(error, undefined);
          assert.ok(end.sum_received.bytes > 1_000_000, `${end.sum_received.bytes} bytes`);
        });
      }
    }
  });
});
