import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { untilWritten } from "@hawser/command-line";
import { CodedError, ErrorCode, systemCode } from "@hawser/gateway-kit/config";
import { deriveConnectToken, type Endpoint, formatEndpoint } from "@hawser/shared-protocol";
import { dialConnect } from "@hawser/status-api/client";
import { loadLocalConfig } from "../config.ts";

/** `hawser-local connect HOST PORT`. @throws ConfigError; CodedError CONNECT_REFUSED or CONNECT_LOST */
export async function connect(file: string, target: Endpoint): Promise<void> {
  const { remote, status } = loadLocalConfig(file);
  const socket = await dialConnect(status.listen, deriveConnectToken(remote.psk), target);
  try {
    await joinStdio(socket);
  } catch (error) {
    const why = systemCode(error) === "ECONNRESET" ? "the connection was reset" : (error as Error).message;
    throw new CodedError(ErrorCode.connectLost, `${formatEndpoint(target)}: ${why}`, { cause: error });
  }
}

/**
 * Each direction ends on its own: the end of stdin closes the socket's sending half, and the end of what the far end
 * sends closes stdout while stdin goes on. At a terminal the command ends with the far end, without waiting for stdin.
 */
async function joinStdio(socket: Socket): Promise<void> {
  const upwards = pipeline(process.stdin, socket);
  const downwards = pipeline(socket, process.stdout, { end: false }).then(async () => {
    if (process.stdin.isTTY) return process.stdin.destroy();
    await untilWritten();
    // Node does not close stdout by itself; whoever reads it (ssh) waits for that.
    closeSync(1);
  });
  await Promise.all([process.stdin.isTTY ? upwards.catch(() => undefined) : upwards, downwards]);
}
