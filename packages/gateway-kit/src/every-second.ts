/**
 * The one clock of everything that a gateway does once a second. An idle process is woken by it once, however many they
 * are: each timer of its own would wake the process at a moment of its own.
 */

const PERIOD_MS = 1_000;

interface Listener {
  readonly call: () => void;
}

const listeners = new Set<Listener>();
let timer: NodeJS.Timeout | undefined;

/** Calls back about once a second. The result ends that. Does not keep the process alive. */
export function everySecond(call: () => void): () => void {
  const listener = { call };
  listeners.add(listener);
  timer ??= setInterval(tick, PERIOD_MS).unref();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  for (const listener of listeners) listener.call();
}
