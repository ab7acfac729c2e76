/** What takes its time and is followed as it goes: a drill, a speed test. Who closes it, or the page, ends it. */

import type { Problem } from "@hawser/status-api/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { events, jsonOf, messageOf } from "./api.ts";

export interface Trial<Progress, Outcome> {
  readonly state: "asking" | "running" | "done" | "stopped" | "failed";
  /** All there was so far. */
  readonly progress: readonly Progress[];
  readonly outcome: Outcome | undefined;
  /** Why it failed. */
  readonly problem: string;
}

export interface TrialControl<Progress, Outcome> {
  readonly trial: Trial<Progress, Outcome>;
  readonly start: (body: unknown) => void;
  /** The gateway ends it at once, and puts back what it has changed. */
  readonly stop: () => void;
}

const ASKING = { state: "asking", progress: [], outcome: undefined, problem: "" } as const;

/** A trial at `path`; it is stopped when the component goes. */
export function useTrial<Progress, Outcome>(path: string): TrialControl<Progress, Outcome> {
  const [trial, setTrial] = useState<Trial<Progress, Outcome>>(ASKING);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const follow = async (body: unknown, { signal }: AbortController): Promise<void> => {
    const change = (next: (before: Trial<Progress, Outcome>) => Partial<Trial<Progress, Outcome>>): void => {
      if (!signal.aborted) setTrial((before) => ({ ...before, ...next(before) }));
    };
    try {
      for await (const { type, data } of events(path, { method: "POST", ...jsonOf(body), signal })) {
        if (type === "problem") throw new Error((JSON.parse(data) as Problem).detail);
        if (type === "progress")
          change(({ progress }) => ({ progress: [...progress, JSON.parse(data) as Progress] }));
        else change(() => ({ state: "done", outcome: JSON.parse(data) as Outcome }));
      }
      change(({ state }) => {
        if (state === "done") return {};
        return { state: "failed", problem: "the gateway ended before it did" };
      });
    } catch (error) {
      change(() => ({ state: "failed", problem: messageOf(error) }));
    }
  };
  const start = (body: unknown): void => {
    running.current?.abort();
    running.current = new AbortController();
    setTrial({ ...ASKING, state: "running" });
    void follow(body, running.current);
  };
  const stop = (): void => {
    running.current?.abort();
    setTrial((before) => ({ ...before, state: "stopped" }));
  };
  return { trial, start, stop };
}
