import type { LookupAddress } from "node:dns";
import type { Socket } from "node:net";

/**
 * An attempt that has not been answered has so much of a start on the next one, milliseconds (RFC 8305, section 5: the
 * recommended Connection Attempt Delay). It goes on beside it: its answer may be late, or its SYN lost and sent again.
 */
const START_MS = 250;

/** What a race tells, once. */
export interface DialRaceEvents {
  /** The first that is connected; the others are closed. */
  onConnected(socket: Socket): void;
  /** With several addresses tried in vain an AggregateError of them all, in order. */
  onFailed(error: Error): void;
}

/**
 * Dials the addresses of a name as "happy eyeballs" do (RFC 8305): one after the other, with families in turn, and the
 * first to answer is taken. (Node's `autoSelectFamily` closes each attempt when it begins the next.)
 */
export class DialRace {
  readonly #create: (address: string) => Socket;
  readonly #events: DialRaceEvents;
  readonly #left: string[];
  readonly #attempts = new Set<Socket>();
  readonly #errors: Error[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `create` makes a socket that is connecting. */
  constructor(
    addresses: readonly LookupAddress[],
    create: (address: string) => Socket,
    events: DialRaceEvents,
  ) {
    this.#create = create;
    this.#events = events;
    this.#left = inTurn(addresses).map(({ address }) => address);
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const address = this.#left.shift();
    if (address === undefined) return;
    const socket = this.#create(address);
    this.#attempts.add(socket);
    socket.once("connect", () => this.#win(socket));
    socket.once("error", (error) => this.#lose(socket, error));
    if (this.#left.length > 0) this.#timer = setTimeout(() => this.#next(), START_MS);
  }

  #win(socket: Socket): void {
    if (!this.#attempts.delete(socket)) return;
    this.cancel();
    socket.removeAllListeners("error");
    this.#events.onConnected(socket);
  }

  #lose(socket: Socket, error: Error): void {
    if (!this.#attempts.delete(socket)) return;
    this.#errors.push(error);
    if (this.#left.length > 0) return this.#next();
    if (this.#attempts.size > 0) return;
    this.#events.onFailed(this.#errors.length > 1 ? new AggregateError(this.#errors) : error);
  }

  /** Ends all attempts. Nothing more is told. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#left.length = 0;
    const attempts = [...this.#attempts];
    this.#attempts.clear();
    for (const socket of attempts) socket.on("error", () => {}).destroy();
  }
}

/** Families take turns, in the resolver's order of each; the first address stays the first. */
function inTurn(addresses: readonly LookupAddress[]): LookupAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const others = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const longest = Math.max(first.length, others.length);
  return Array.from({ length: longest }, (_, i) => [first[i], others[i]])
    .flat()
    .filter((each) => each !== undefined);
}
