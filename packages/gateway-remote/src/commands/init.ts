import { type InitOptions, initConfig } from "../init.ts";
import { unresolvedNames } from "../reach.ts";

/** `hawser-remote init`. `next` is the command to type after it. @throws as `initConfig` */
export async function init(file: string, options: InitOptions, next: string): Promise<void> {
  const note = initConfig(file, options);
  for (const warning of await unresolvedNames(options.advertise)) process.stderr.write(`${warning}\n`);
  process.stdout.write(`${file}: written\n${note === undefined ? "" : `${file}: ${note}\n`}`);
  process.stdout.write(`next: ${next}\n`);
}
