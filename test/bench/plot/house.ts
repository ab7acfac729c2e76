import type { House } from "../../lab/house.ts";
import { Recorder } from "./recording.ts";

/** Records what the emulated lines of a house really carry in one direction: what left them at their far end. */
export function recordHouse(house: House, direction: "down" | "up"): Promise<Recorder> {
  const names = house.lines.map(({ name }) => name);
  return Recorder.start(names, async () => {
    const { lines } = await house.emulatorCounters();
    return names.map((name) => lines[name]?.[direction].deliveredBytes ?? 0);
  });
}
