/**
 * Removes houses on every exit that leaves the process a moment: its normal end, an uncaught exception, process.exit,
 * and the signals that ask it to end. After SIGKILL the next run removes what was left.
 */
interface Removable {
  closeNow(): void;
}

const standing = new Set<Removable>();
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let installed = false;

export function removeAtExit(house: Removable): void {
  standing.add(house);
  if (installed) return;
  installed = true;
  process.on("exit", removeAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

export function forgetAtExit(house: Removable): void {
  standing.delete(house);
  if (standing.size > 0) return;
  installed = false;
  process.off("exit", removeAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function removeAll(): void {
  for (const house of standing) house.closeNow();
  standing.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  // A program with a handler of its own ends by itself, and its exit event then removes the houses.
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

/**
 * Closes what a suite has made, in this order. Some may be missing if making them failed. An error does not keep the
 * rest open.
 */
export async function tearDown(
  ...made: readonly (AsyncDisposable | Disposable | undefined)[]
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  // A stack closes first what it was given last.
  for (const each of made.toReversed()) stack.use(each);
}
