/**
 * Whether this machine and this Node are what the other files of this package take them for: numbers of system calls,
 * layouts of structs, Node's private names. A gateway asks once, at its start; that takes 0.3 ms beside the loading of
 * koffi, which it needs anyway.
 */

import { type Libc, libc, Sys } from "./libc.ts";
import { missingInternals } from "./node-internals.ts";
import { createPinnedSocket } from "./pinned-socket.ts";
import { errnoName } from "./system-error.ts";
import { tcpInfoTrouble } from "./tcp-info.ts";

/** One thing that is not as expected, in a sentence. */
export interface PlatformFinding {
  /** Connections would fail, or end up somewhere else: better not to start. */
  readonly isFatal: boolean;
  readonly what: string;
}

/** What is not as expected, with a C library for tests. Leaves no descriptor behind. */
export function checkPlatform(c?: Libc): PlatformFinding[] {
  try {
    return [...findings(c ?? libc())];
  } catch (error) {
    return [fatal(error instanceof Error ? error.message : String(error))];
  }
}

function* findings(c: Libc): Generator<PlatformFinding> {
  const fd = c.socket(Sys.AF_INET, Sys.SOCK_STREAM | Sys.SOCK_NONBLOCK | Sys.SOCK_CLOEXEC, 0);
  if (fd < 0) return yield fatal(`a TCP socket cannot be made: ${errnoName(c.errno())}`);
  if (option(c, fd, Sys.SO_TYPE) !== Sys.SOCK_STREAM || option(c, fd, Sys.SO_PROTOCOL) !== Sys.IPPROTO_TCP) {
    c.close(fd);
    return yield fatal(`the numbers of socket(7) are others on ${process.arch}: a TCP socket is not one`);
  }
  const trouble = tcpInfoTrouble(fd, c);
  if (trouble) yield { isFatal: false, what: trouble };
  // Closes it.
  const missing = missingInternals(fd);
  if (missing) yield fatal(`in Node ${process.version} ${missing}: use Node 24`);
  else if (!keepsAddress("127.0.0.1")) yield fatal("struct sockaddr_in has another layout than Linux's");
}

/** An option of SOL_SOCKET that is an int. */
function option(c: Libc, fd: number, name: number): number | undefined {
  const value = Buffer.from(new ArrayBuffer(4));
  if (c.getsockopt(fd, Sys.SOL_SOCKET, name, value, Uint32Array.of(4)) !== 0) return undefined;
  return new Int32Array(value.buffer)[0];
}

/**
 * Whether an address that is bound through the C library is the same when Node asks for it. SO_ORIGINAL_DST tells the
 * destination of a captured connection in the same struct.
 */
function keepsAddress(source: string): boolean {
  try {
    const socket = createPinnedSocket({ family: 4, source });
    const { address } = socket.address() as { address?: string };
    socket.destroy();
    return address === source;
  } catch {
    // A namespace whose loopback is down has no such address, and tells nothing of the layout.
    return true;
  }
}

function fatal(what: string): PlatformFinding {
  return { isFatal: true, what };
}
