/** Which variants are played: what `--field` is told, in names. */
import { SCENARIOS } from "./index.ts";
import type { Scenario, Variant } from "./scenario.ts";

export interface Play {
  readonly scenario: Scenario;
  readonly variant: Variant;
  /** As it is asked for and shown. */
  readonly title: string;
}

/**
 * The variants of the scenarios named, of all when none is; of `SCENARIO/BEGINNING` those whose names begin so.
 * @throws Error when a name fits nothing
 */
export function choose(names: readonly string[], isQuick: boolean, all = SCENARIOS): Play[] {
  const plays = all.flatMap((scenario) =>
    scenario.variants.map((variant) => ({ scenario, variant, title: `${scenario.name}/${variant.name}` })),
  );
  const unknown = names.find((name) => !plays.some((play) => isNamed(play, name)));
  if (unknown !== undefined) {
    const [scenario] = unknown.split("/");
    const known = all.find(({ name }) => name === scenario)?.variants ?? all;
    throw new Error(`no scenario "${unknown}"; there are ${known.map(({ name }) => name).join(", ")}`);
  }
  // A variant that is named is played, quick or not.
  return plays.filter((play) =>
    names.length === 0
      ? !isQuick || play.variant.isQuick
      : names.some((name) => isNamed(play, name) && (!isQuick || name.includes("/") || play.variant.isQuick)),
  );
}

function isNamed({ scenario, title }: Play, name: string): boolean {
  return name.includes("/") ? title.startsWith(name) : scenario.name === name;
}

/** The scenarios with their variants, for people. */
export function listScenarios(all = SCENARIOS): string {
  return all
    .map(({ name, about, variants }) => {
      const names = variants.map(
        (variant) => `  ${name}/${variant.name}${variant.isQuick ? "  (quick)" : ""}`,
      );
      const total = variants.reduce((sum, { seconds }) => sum + seconds, 0);
      return [`${name}: ${about} (${Math.ceil(total / 60)} min)`, ...names].join("\n");
    })
    .join("\n");
}
