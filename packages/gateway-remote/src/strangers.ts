import type { Socket } from "node:net";
import { Admission, descriptorLimit, type Refusals, sourceOf, withinDescriptors } from "@hawser/gateway-kit";
import { CloseCode, codeName } from "@hawser/shared-protocol";
import { JoinError, TlsError } from "@hawser/subflow-transport";

/**
 * Connections that have said nothing, or nothing true: plain sockets, of which thousands cost little. A paired gateway's is
 * one of them for as long as its ClientHello takes to arrive, a second over the slowest lines.
 */
const UNKNOWN = { total: 4_096, perSource: 64, perSite: 256 };
/** The same from addresses where a paired gateway was: strangers cannot displace them. */
const FAMILIAR = { total: 512, perSource: 64, perSite: 256 };
/** Those that hold a peer's key and have not joined yet. A home behind one address may dial 16 subflows a line at once. */
const CLAIMING = { total: 512, perSource: 256, perSite: 256 };
/** Addresses remembered, those of the latest joins. */
const MAX_FAMILIAR = 1_024;

/** Who may wait for their handshake to be over, who has to go for another, and what is told of those not let in. */
export class Strangers {
  readonly #refusals: Refusals;
  readonly #unknown: Admission<Socket>;
  readonly #familiar = new Admission<Socket>(FAMILIAR, (socket) => this.#drop(socket));
  readonly #claiming = new Admission<Socket>(CLAIMING, (socket) => this.#drop(socket));
  /** Displaced ones: their handshake is about to fail for that. */
  readonly #displaced = new WeakSet<Socket>();
  /** Where paired gateways have joined from, the latest last. */
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

  /** A peer's name was given. Where the key then proves to be another, the handshake fails at once. */
  handleClaim(socket: Socket): void {
    this.leave(socket);
    this.#claiming.enter(socket, socket.remoteAddress);
  }

  /** It has joined: its address is remembered. */
  handleJoined(socket: Socket): void {
    const source = sourceOf(socket.remoteAddress);
    this.#joinedFrom.delete(source);
    this.#joinedFrom.add(source);
    const [oldest] = this.#joinedFrom;
    if (this.#joinedFrom.size > MAX_FAMILIAR && oldest !== undefined) this.#joinedFrom.delete(oldest);
  }

  /** It has joined, or failed. */
  leave(socket: Socket): void {
    this.#unknown.leave(socket);
    this.#familiar.leave(socket);
    this.#claiming.leave(socket);
  }

  /** Its handshake failed. */
  handleFailure(socket: Socket, from: string | undefined, error: unknown): void {
    // A peer that looked whether it would be let in, as `hawser-local doctor` does, and left.
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

  /** With a reset: nothing of it stays in the kernel. */
  #drop(socket: Socket): void {
    this.#displaced.add(socket);
    socket.resetAndDestroy();
  }
}

/** A label for the metrics: one of a few, whatever the stranger did. */
function reasonOf(error: unknown): string {
  if (error instanceof TlsError) return error.code.replace(/^ERR_/, "").toLowerCase();
  return error instanceof JoinError ? `join_${codeName(CloseCode, error.closeCode)}` : "fault";
}
