import type { Socket } from "node:net";
import { Admission, descriptorLimit, type Refusals, sourceOf, withinDescriptors } from "@hawser/gateway-kit";
import { CloseCode, codeName } from "@hawser/shared-protocol";
import { JoinError, TlsError } from "@hawser/subflow-transport";

/**
 * Limits of connections that have not claimed a peer's name yet. They are plain sockets, of which thousands cost
 * little. A paired gateway's connection is among them until its ClientHello has arrived: a second over the slowest
 * lines.
 */
const UNKNOWN = { total: 4_096, perSource: 64, perSite: 256 };
/**
 * The same limits for addresses where a paired gateway has joined from, so that strangers cannot displace its
 * connections.
 */
const FAMILIAR = { total: 512, perSource: 64, perSite: 256 };
/**
 * Limits of connections that claim a peer's name and have not joined yet. A home behind one address may dial 16
 * subflows a line at once.
 */
const CLAIMING = { total: 512, perSource: 256, perSite: 256 };
/** How many addresses of the latest joins are remembered. */
const MAX_FAMILIAR = 1_024;

/**
 * Decides which connections may wait in their handshake and which have to go, and reports those that did not get in.
 */
export class Strangers {
  readonly #refusals: Refusals;
  readonly #unknown: Admission<Socket>;
  readonly #familiar = new Admission<Socket>(FAMILIAR, (socket) => this.#drop(socket));
  readonly #claiming = new Admission<Socket>(CLAIMING, (socket) => this.#drop(socket));
  /** Displaced connections, whose handshake is about to fail for that reason. */
  readonly #displaced = new WeakSet<Socket>();
  /** The addresses where paired gateways have joined from, the latest last. */
  readonly #joinedFrom = new Set<string>();

  constructor(refusals: Refusals, descriptors = descriptorLimit()) {
    this.#refusals = refusals;
    this.#unknown = new Admission(withinDescriptors(UNKNOWN, descriptors), (socket) => this.#drop(socket));
  }

  get size(): number {
    return this.#unknown.size + this.#familiar.size + this.#claiming.size;
  }

  enter(socket: Socket): void {
    const isFamiliar = this.#joinedFrom.has(sourceOf(socket.remoteAddress));
    (isFamiliar ? this.#familiar : this.#unknown).enter(socket, socket.remoteAddress);
  }

  /** The connection claims a peer's name. If it does not hold the peer's key, its handshake fails at once. */
  handleClaim(socket: Socket): void {
    this.leave(socket);
    this.#claiming.enter(socket, socket.remoteAddress);
  }

  /** The connection has joined, and its address is remembered. */
  handleJoined(socket: Socket): void {
    const source = sourceOf(socket.remoteAddress);
    this.#joinedFrom.delete(source);
    this.#joinedFrom.add(source);
    const [oldest] = this.#joinedFrom;
    if (this.#joinedFrom.size > MAX_FAMILIAR && oldest !== undefined) this.#joinedFrom.delete(oldest);
  }

  leave(socket: Socket): void {
    this.#unknown.leave(socket);
    this.#familiar.leave(socket);
    this.#claiming.leave(socket);
  }

  /** The connection's handshake has failed. */
  handleFailure(socket: Socket, from: string | undefined, error: unknown): void {
    // A peer that only checked whether it would be admitted, as `hawser-local doctor` does.
    const onlyLooked = error instanceof JoinError && error.closeCode === CloseCode.done;
    const isExpected = error instanceof TlsError || error instanceof JoinError;
    const reason = this.#displaced.has(socket) ? "displaced" : reasonOf(error);
    const label = { listener: "subflow", reason };
    this.#refusals.note(
      label,
      onlyLooked ? "debug" : isExpected ? "info" : "error",
      { from, err: error },
      "a connection was not let in",
    );
  }

  /** Closes with a reset, so that the kernel keeps nothing of the connection. */
  #drop(socket: Socket): void {
    this.#displaced.add(socket);
    socket.resetAndDestroy();
  }
}

/** A label for the metrics. There are only a few labels, whatever the stranger did. */
function reasonOf(error: unknown): string {
  if (error instanceof TlsError) return error.code.replace(/^ERR_/, "").toLowerCase();
  return error instanceof JoinError ? `join_${codeName(CloseCode, error.closeCode)}` : "fault";
}
