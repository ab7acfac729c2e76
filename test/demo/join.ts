import type { Socket } from "node:net";

/** Makes two connections one: bytes and ends pass both ways, and what breaks one breaks the other. */
export function join(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.once("close", () => to.destroySoon());
  }
}
