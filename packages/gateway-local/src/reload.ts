/** A reload follows a changed configuration part by part: one that fails neither stops the others nor is passed over in silence. */

export interface ReloadPart {
  /** For people. */
  readonly name: string;
  readonly follow: () => void | Promise<void>;
}

export interface ReloadOutcome {
  readonly followed: readonly string[];
  readonly failed: readonly { readonly part: string; readonly error: unknown }[];
}

/** Tries every part, in this order. Where `isOver`, as the gateway is stopping, the rest is left. */
export async function followParts(
  parts: readonly ReloadPart[],
  isOver: () => boolean,
): Promise<ReloadOutcome> {
  const followed: string[] = [];
  const failed: { part: string; error: unknown }[] = [];
  for (const { name, follow } of parts) {
    if (isOver()) break;
    try {
      await follow();
      followed.push(name);
    } catch (error) {
      failed.push({ part: name, error });
    }
  }
  return { followed, failed };
}

/** What was not followed and why, and what was. */
export function describeFailures({ followed, failed }: ReloadOutcome): string {
  const why = failed.map(
    ({ part, error }) => `${part} (${error instanceof Error ? error.message : String(error)})`,
  );
  return `the configuration was reloaded in part: not the ${why.join(", nor the ")}; but the ${followed.join(", ")}`;
}
