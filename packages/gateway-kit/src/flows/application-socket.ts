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

/** A buffer holds the largest chunk (MAX_PAYLOAD), bytes. */
const BUFFER_BYTES = 65_536;
/** How much memory is kept for the next busy second. More goes back to the system. */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/**
 * Firewalls forget a connection that is silent for a minute or more. A client's own probes end at the router, so the
 * gateway sends these in their stead. They give a peer up after nine minutes without an answer. A laptop may sleep that
 * long, or a phone be out of reach, and plain TCP would go on afterwards.
 */
const KEEPALIVE: KeepAlive = { idle: 45, interval: 45, probes: 12 };

const pool = new BufferPool({ bufferBytes: BUFFER_BYTES, maxIdleBytes: MAX_IDLE_BYTES });

/** What to dial. Only `lookup` looks a name up, and only the addresses that it gives are dialled. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: (
    name: string,
    done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
  ) => void;
}

/** Takes bytes that an application wrote. `release` gives their buffer back. Returning false pauses the socket. */
export type BytesHandler = (bytes: Buffer, release: () => void) => boolean;

/**
 * An accepted connection (from `listen`) whose bytes go to `onBytes`, in pooled buffers. It reads at once.
 * @throws SystemError when the connection has ended meanwhile, or no descriptor is left. `accepted` is closed then.
 */
export function adoptApplication(accepted: Socket, onBytes: BytesHandler): Socket {
  const socket = adoptAccepted(accepted, readerOptions(onBytes));
  prepareApplication(socket);
  return socket;
}

/** Sets the options of an application's connection. One that has ended meanwhile says so when it is read. */
export function prepareApplication(socket: Socket): void {
  if (socketFd(socket) === undefined) return;
  setUrgentInline(socket);
  setKeepAlive(socket, KEEPALIVE);
}

/**
 * Dials. `onConnected` gets the connection, whose bytes go to `onBytes` in pooled buffers; each of its directions ends on
 * its own. Until then the returned socket stands for the connection. Destroying it stops the dial. It ends with an error
 * when the dial fails; EMFILE means that the descriptors left are reserved for the gateway itself.
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
