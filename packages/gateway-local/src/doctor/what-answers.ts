/** Finds out what answers at the remote gateway's address when it is not Hawser: the first line that it sends. */

import type { Socket } from "node:net";
import { createPinnedSocket } from "@hawser/linux-sockets";
import { printable } from "@hawser/status-api/model";
import type { PathConfig } from "../config.ts";
import type { DialTarget } from "../paths/dial-targets.ts";

/**
 * How long a server may take to send a greeting; then it is sent a request of HTTP, and has ANSWER_MS to answer.
 * Milliseconds.
 */
const GREETING_MS = 1_000;
const ANSWER_MS = 2_000;
/** Characters of the answer that are shown, and that are read. */
const MAX_WORDS = 80;
const MAX_ANSWER = 4_096;

/** Such as `HTTP/1.1 302 Found, to http://portal/` or `SSH-2.0-OpenSSH_9.2`; undefined when no readable text comes. */
export async function whatAnswers(path: PathConfig, target: DialTarget): Promise<string | undefined> {
  const { address, family, endpoint } = target;
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = "";
  let socket: Socket;
  try {
    socket = createPinnedSocket({
      family,
      ...(path.interface !== undefined && { interface: path.interface }),
      ...(path.source !== undefined && { source: path.source }),
    });
  } catch {
    return undefined;
  }
  const ask = setTimeout(() => {
    socket.write(`GET / HTTP/1.1\r\nHost: ${endpoint.host}\r\nConnection: close\r\n\r\n`);
  }, GREETING_MS);
  const end = setTimeout(() => resolve(answer), GREETING_MS + ANSWER_MS);
  socket.setEncoding("latin1").on("data", (text) => {
    answer += String(text);
    if (isWhole(answer) || answer.length > MAX_ANSWER) resolve(answer);
  });
  for (const event of ["error", "end", "close"]) socket.on(event, () => resolve(answer));
  socket.connect({ host: address, port: endpoint.port, autoSelectFamily: false });
  const words = firstWords(await promise);
  clearTimeout(ask);
  clearTimeout(end);
  socket.destroy();
  return words;
}

/** Whether the answer has a whole line of greeting, or all headers of a web server. */
function isWhole(answer: string): boolean {
  return answer.includes(answer.startsWith("HTTP/") ? "\r\n\r\n" : "\n");
}

export function firstWords(answer: string): string | undefined {
  const [line = ""] = answer.split(/\r?\n/);
  // Binary data, such as a TLS alert, is not shown.
  if (!/^[\x20-\x7e]{3,}/.test(line)) return undefined;
  const said = printable(line.slice(0, MAX_WORDS));
  const to = line.startsWith("HTTP/")
    ? /^location: *(\S{1,80})/im.exec(answer.split("\r\n\r\n")[0] ?? "")?.[1]
    : undefined;
  return to === undefined ? said : `${said}, to ${printable(to)}`;
}
