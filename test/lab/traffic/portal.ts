/**
 * A captive portal: `portal.ts KIND PORT` answers every connection that is redirected to its port. `redirect` answers
 * with HTTP 302, `silent` does not answer, `tls` has a certificate that no client knows. It prints "ready" when it
 * listens.
 */
import { execFileSync } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

const [kind, port] = process.argv.slice(2);
const LOGIN = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nConnection: close\r\n\r\n";

const servers: Readonly<Record<string, () => Server>> = {
  redirect: () => createServer((socket) => socket.once("data", () => socket.end(LOGIN))),
  silent: () => createServer(),
  tls: () => createTlsServer(certificate(), (socket) => socket.end(LOGIN)),
};

/** A key and a self-signed certificate, in one text. */
function certificate(): { readonly key: string; readonly cert: string } {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const args = [
    "req",
    "-x509",
    ...curve,
    "-nodes",
    "-subj",
    "/CN=portal.example",
    "-keyout",
    "-",
    "-out",
    "-",
  ];
  const text = execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return { key: text, cert: text };
}

const server = servers[kind ?? ""]?.();
if (!server) throw new Error(`unknown kind of portal: ${kind}`);
server.on("connection", (socket: Socket) => socket.on("error", () => socket.destroy()));
server.on("tlsClientError", () => {});
server.listen({ host: "::", port: Number(port) }, () => console.log("ready"));
