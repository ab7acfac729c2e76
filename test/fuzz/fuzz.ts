import { Random } from "@hawser/shared-protocol/testing";
import { DecoderGame } from "./decoder-game.ts";
import { SessionGame } from "./session-game.ts";

/** Inputs for the decoder, and operations on a session, that one seed stands for. */
const DECODER_STEPS = 100;
const SESSION_STEPS = 1_000;

export interface FuzzTotals {
  rounds: number;
  /** Frames given to a decoder or a session. */
  frames: number;
  operations: number;
  /** The longest time that one operation on a session took, milliseconds, and the seed in which it did. */
  slowest: number;
  slowestSeed: number;
}

/** One round: the same seed does the same. @throws Error with seed and step of what went wrong. */
export function round(seed: number, totals: FuzzTotals): void {
  const random = new Random(seed);
  const decoder = new DecoderGame(random);
  for (let step = 0; step < DECODER_STEPS; step++)
    attempt(`seed ${seed}, decoder's input ${step}`, () => decoder.step());
  const session = new SessionGame(random);
  for (let step = 0; step < SESSION_STEPS && !session.isOver; step++)
    attempt(`seed ${seed}, operation ${step} on the session`, () => session.step());
  attempt(`seed ${seed}, the session's end`, () => session.finish());
  totals.rounds++;
  totals.frames += decoder.frames + session.frames;
  totals.operations += session.operations;
  if (session.slowest > totals.slowest) {
    totals.slowest = session.slowest;
    totals.slowestSeed = seed;
  }
}

function attempt(what: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new Error(
      `${what}; again with: npm run fuzz -- --seed ${what.replace(/\D*(\d+).*/, "$1")} --frames 1`,
      {
        cause,
      },
    );
  }
}
