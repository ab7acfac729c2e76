import { SystemError } from "@hawser/linux-sockets";
import type { Sets } from "./failed-destinations.ts";

/** The kernel's sets in memory, for tests. */
export class FakeSets implements Sets {
  /** The elements of each set. */
  readonly sets = new Map<string, Set<string>>();
  /** When set, every call fails with this error. */
  failure: SystemError | undefined;
  isClosed = false;

  create = ({ name }: { name: string }): Promise<void> =>
    this.#do(() => {
      if (!this.sets.has(name)) this.sets.set(name, new Set());
    });

  flush = (name: string): Promise<void> => this.#do(() => this.#set(name).clear());

  destroy = (name: string): Promise<void> => this.#do(() => void this.sets.delete(name));

  add = (name: string, entry: { address: string; port: number }): Promise<void> =>
    this.#do(() => void this.#set(name).add(`${entry.address} ${entry.port}`));

  delete = (name: string, entry: { address: string; port: number }): Promise<void> =>
    this.#do(() => void this.#set(name).delete(`${entry.address} ${entry.port}`));

  close(): void {
    this.isClosed = true;
  }

  #set(name: string): Set<string> {
    const set = this.sets.get(name);
    if (!set) throw new SystemError("ENOENT", 2, "netlink", `there is no set ${name}`);
    return set;
  }

  async #do(change: () => void): Promise<void> {
    if (this.failure) throw this.failure;
    change();
  }
}
