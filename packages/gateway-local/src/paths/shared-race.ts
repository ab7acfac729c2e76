/**
 * One attempt to connect for all subflows of a path. A path may have 16 subflows. If each of them sent SYNs over a dead
 * line without a break, there would be hundreds of sockets and a rate that looks like a scan. So one subflow tries, and
 * the others wait for its result.
 */
import type { Socket } from "node:net";
import { type Connect, connectFirst, connectOnce, type OnSilence } from "./dial.ts";
import { type DialError } from "./dial-error.ts";

interface Race {
  /**
   * True when the remote gateway has answered, false when the attempt was aborted; rejected with the error of a failed
   * attempt.
   */
  readonly isAnswered: Promise<boolean>;
  /** The subflows that wait. Each is told, too, when there is no answer for a while. */
  readonly waiting: Set<OnSilence>;
}

export class SharedRace {
  /** The attempts under way, by address and port. */
  readonly #races = new Map<string, Race>();

  /** Connects one subflow. Each caller gets a connection of its own. @throws as `connectFirst` */
  readonly connect: Connect = async (create, host, port, signal, onSilence) => {
    const name = `${host} ${port}`;
    for (let race = this.#races.get(name); race; race = this.#races.get(name)) {
      // The remote gateway answers on this line, so this subflow connects at once by itself.
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
  // Without a waiting subflow nobody handles the rejection.
  isAnswered.catch(() => {});
  return isAnswered;
}

/** Waits for the result of the race. False: the race was aborted, so another subflow has to try. */
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
