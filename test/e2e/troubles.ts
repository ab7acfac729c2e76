import type { House } from "../lab/house.ts";
import type { Line } from "../lab/line.ts";

/** A trouble that a line can have, and its end. Some troubles end by themselves. */
export interface Trouble {
  readonly name: string;
  /** The longest gap that a transfer may have. The margin is wide, since the machine does other work, too. */
  readonly maxGapMs: number;
  begin(house: House, line: Line): Promise<void>;
  end?(line: Line): Promise<void>;
}

export const TROUBLES: readonly Trouble[] = [
  {
    name: "a silent blackhole",
    maxGapMs: 1_500,
    begin: (_house, line) => line.set({ blackhole: true }),
    end: (line) => line.set({ blackhole: false }),
  },
  {
    name: "its interface down",
    maxGapMs: 500,
    begin: (_house, line) => line.down(),
    end: (line) => line.up(),
  },
  {
    name: "a reset of its subflow",
    maxGapMs: 500,
    begin: async (house, line) => {
      const { v4 } = house.addresses.lineEnds(line.number).router;
      await house.router.exec("ss", ["-K", "-t", "src", v4, "dport", "=", "4433"]);
    },
  },
];
