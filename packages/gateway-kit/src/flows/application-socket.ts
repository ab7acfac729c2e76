import type { LookupAddress } from "node:dns";
import { connect, isIP, Socket } from "node:net";
import {
  adoptAccepted,
  BufferPool,
  type KeepAlive,
  type PooledReaderOptions,
  pooledOnRead,
  SystemError,
  setKeepAlive,
  setUrgentInline,
  socketFd,
} from "@hawser/linux-sockets";
import { claimDescriptor } from "../limits/descriptors.ts";
import { DialRace, type DialRaceEvents } from "./dial-race.ts";

/** One chunk at high rates is one buffer: MAX_PAYLOAD. */
const BUFFER_BYTES = 65_536;
/** What a busy second leaves behind for the next one; more is given back to the system. */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/**
 * A client's own probes end at the router, so these keep its flow in the tables of firewalls beyond, which forget
 * after a minute or more. Nine minutes of silence are a laptop that sleeps, or a phone out of reach: plain TCP goes on.
 */
const KEEPALIVE: KeepAlive = { idle: 45, interval: 45, probes: 12 };

const pool = new BufferPool({ bufferBytes: BUFFER_BYTES, maxIdleBytes: MAX_IDLE_BYTES });

/** Where to; a name is looked up by `lookup` alone, and only the addresses that it gives are dialled. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: (
    name: string,
    done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
  ) => void;
}

/** Takes bytes that an application wrote; `release` gives their buffer back. False pauses the socket. */
export type BytesHandler = (bytes: Buffer, release: () => void) => boolean;

/**
 * An accepted connection (from `listen`) whose bytes go to `onBytes`, from pooled buffers. It reads at once.
 * @throws SystemError when the connection has gone meanwhile, or no descriptor is left; `accepted` is closed then.
 */
export function adoptApplication(accepted: Socket, onBytes: BytesHandler): Socket {
  const socket = adoptAccepted(accepted, readerOptions(onBytes));
  prepareApplication(socket);
  return socket;
}

/** How an application's connection is to behave. One that has gone meanwhile tells of it when it is read. */
export function prepareApplication(socket: Socket): void {
  if (socketFd(socket) === undefined) return;
  setUrgentInline(socket);
  setKeepAlive(socket, KEEPALIVE);
}

/**
 * Dials, with bytes to `onBytes` from pooled buffers; `onConnected` gets the connection, each direction of which ends on
 * its own. Until then the returned socket stands for it: it ends with an error when the dial fails (EMFILE when what is
 * left of the descriptors is the gateway's own), and whoever destroys it calls the dial off.
 */
export function dialApplication(
  { host, port, lookup }: DialOptions,
  onBytes: BytesHandler,
  onConnected: (socket: Socket) => void,
): Socket {
  const dial = new Socket();
  const race = (addresses: readonly LookupAddress[]): void => {
    const { cancel } = startRace(addresses, port, onBytes, {
      onConnected: (socket) => {
        dial.off("close", cancel);
        prepareApplication(socket);
        onConnected(socket);
      },
      onFailed: (error) => void dial.destroy(error),
    });
    dial.once("close", cancel);
  };
  if (isIP(host) !== 0) race([{ address: host, family: isIP(host) }]);
  else
    lookup(host, (error, addresses) => {
      if (dial.destroyed) return;
      if (error) dial.destroy(error);
      else race(addresses);
    });
  return dial;
}

function startRace(
  addresses: readonly LookupAddress[],
  port: number,
  onBytes: BytesHandler,
  events: DialRaceEvents,
): { readonly cancel: () => void } {
  const create = (host: string): Socket => {
    if (!claimDescriptor()) return new Socket().destroy(noDescriptor());
    return connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: pooledOnRead(readerOptions(onBytes)),
    });
  };
  const race = new DialRace(addresses, create, events);
  return { cancel: () => race.cancel() };
}

function noDescriptor(): SystemError {
  return new SystemError("EMFILE", 24, "socket", "no descriptor is left for a flow");
}

function readerOptions(onBytes: BytesHandler): PooledReaderOptions {
  return { pool, sink: (buffer, length) => onBytes(buffer.subarray(0, length), () => pool.release(buffer)) };
}
