/**
 * The attempts of one path's subflows to connect. A path may have 16 subflows. If each of them sent SYNs over a dead line
 * without a break, there would be hundreds of sockets and a rate that looks like a scan. So one subflow tries, and the
 * others wait for its result.
 */
import type { Socket } from "node:net";
import { type Connect, connectFirst, connectOnce, type OnSilence } from "./dial.ts";
import { type DialError } from "./dial-error.ts";

interface Race {
  /** Whether it was answered; rejected with what it failed with. */
  readonly isAnswered: Promise<boolean>;
  /** Those that wait, who are told as well when nobody answers. */
  readonly waiting: Set<OnSilence>;
}

export class SharedRace {
  /** Those under way, by address and port. */
  readonly #races = new Map<string, Race>();

  /** A connection of its own for each. @throws as `connectFirst` */
  readonly connect: Connect = async (create, host, port, signal, onSilence) => {
    const name = `${host} ${port}`;
    for (let race = this.#races.get(name); race; race = this.#races.get(name)) {
      // Somebody is there: each connects by itself, without more ado.
      if (await follow(race, signal, onSilence)) return connectOnce(create, host, port, signal);
    }
    const waiting = new Set<OnSilence>();
    const tellAll = (error: DialError): boolean | Promise<boolean> => {
      for (const each of waiting) void each(error);
      return onSilence(error);
    };
    const connecting = connectFirst(create, host, port, signal, tellAll).finally(() =>
      this.#races.delete(name),
    );
    this.#races.set(name, { isAnswered: outcome(connecting, signal), waiting });
    return connecting;
  };
}

function outcome(connecting: Promise<Socket>, signal: AbortSignal): Promise<boolean> {
  const isAnswered = connecting.then(
    () => true,
    (error: unknown) => {
      if (signal.aborted) return false;
      throw error;
    },
  );
  // Nobody may be waiting.
  isAnswered.catch(() => {});
  return isAnswered;
}

/** Waits for the result of the race. False: the race was aborted, and another subflow has to try. */
async function follow(race: Race, signal: AbortSignal, onSilence: OnSilence): Promise<boolean> {
  signal.throwIfAborted();
  const calledOff = Promise.withResolvers<never>();
  const callOff = (): void => calledOff.reject(signal.reason as Error);
  signal.addEventListener("abort", callOff, { once: true });
  race.waiting.add(onSilence);
  try {
    return await Promise.race([race.isAnswered, calledOff.promise]);
  } finally {
    race.waiting.delete(onSilence);
    signal.removeEventListener("abort", callOff);
  }
}
