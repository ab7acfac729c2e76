import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@hawser/gateway-kit";
import { CodedError, ErrorCode, parseJson, readFileIn, systemCode } from "@hawser/gateway-kit/config";
import { type Directory, makeDirectory, saveFile } from "@hawser/gateway-kit/files";
import { z } from "zod";
import type { PeriodCount } from "./period.ts";

const bytes = z.number().min(0);
const fileSchema = z.object({
  version: z.literal(1),
  paths: z.array(
    z.object({
      name: z.string(),
      period: z.iso.date(),
      used: bytes,
      before: z.object({ period: z.iso.date(), used: bytes }).optional(),
    }),
  ),
});

export type Counts = ReadonlyMap<string, PeriodCount>;

const NAME = "quota.json";

/**
 * The counts of all paths, in one file. It is replaced as a whole: after a power cut the file is the old or the new one.
 */
export class QuotaFile {
  readonly #folder: string;
  readonly #logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  get #file(): string {
    return join(this.#folder, NAME);
  }

  /** The stored counts: none without a file. A damaged file is renamed, and counts begin at 0. @throws CodedError */
  load(): Counts {
    try {
      // Opened each time: the folder may have been replaced.
      using directory = makeDirectory(this.#folder);
      return this.#loadFrom(directory);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }

  #loadFrom(directory: Directory): Counts {
    const text = read(directory);
    if (text === undefined) return new Map();
    const content = fileSchema.safeParse(parseJson(text));
    if (content.success) return new Map(content.data.paths.map(({ name, ...count }) => [name, count]));
    const aside = `${NAME}.broken`;
    renameSync(directory.at(NAME), directory.at(aside));
    this.#logger.error(
      { file: this.#file, aside: join(this.#folder, aside) },
      "the quotas' counts cannot be read and begin anew",
    );
    return new Map();
  }

  /** Resolves when the counts are on the disk. @throws CodedError STATE_UNWRITABLE */
  async save(counts: Counts): Promise<void> {
    const paths = [...counts].map(([name, count]) => ({ name, ...count }));
    try {
      using directory = makeDirectory(this.#folder);
      await saveFile(directory, NAME, `${JSON.stringify({ version: 1, paths })}\n`);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }
}

function read(directory: Directory): string | undefined {
  try {
    return readFileIn(directory, NAME).text;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function unwritable(file: string, error: unknown): CodedError {
  // Without the error's path, which names an open directory by its descriptor.
  const why = error instanceof Error ? error.message.replace(/, \w+ '.*$/, "") : String(error);
  const mend = 'quotas need a folder that the gateway may write into; name one with state = "..."';
  return new CodedError(ErrorCode.stateUnwritable, `state: ${file}: ${why}; ${mend}`, { cause: error });
}
