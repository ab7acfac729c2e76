/**
 * A reload follows a changed configuration part by part. A part that fails does not stop the others, and is reported.
 */

export interface ReloadPart {
  /** The part's name in logs and events. */
  readonly name: string;
  readonly follow: () => void | Promise<void>;
}

export interface ReloadOutcome {
  readonly followed: readonly string[];
  readonly failed: readonly { readonly part: string; readonly error: unknown }[];
}

/** Tries every part, in this order. Skips the rest once `isOver` says that the gateway is stopping. */
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

/** Says which parts failed and why, and which were followed. */
export function describeFailures({ followed, failed }: ReloadOutcome): string {
  const why = failed.map(
    ({ part, error }) => `${part} (${error instanceof Error ? error.message : String(error)})`,
  );
  return `the configuration was reloaded in part: not the ${why.join(", nor the ")}; but the ${followed.join(", ")}`;
}
