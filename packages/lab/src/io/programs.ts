import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { findProgram } from '@causeway/runtime/io';

/** The product's programs, which are in the PATH of every host. */
const names = ['causeway', 'causeway-agent', 'causeway-manager'] as const;

/** The command lines that start the programs, by name. Throws `capability-missing` when a program is missing. */
export function labPrograms(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    names.map((name) => {
      const command = findProgram(name);
      if (command !== undefined) return [name, command];
      const message = `missing ${name}: install its package, or in a clone "npm run setup"`;
      throw new CausewayError('capability-missing', message);
    }),
  );
}

/** Writes the commands for the PATH of the hosts. */
export async function writePrograms(dir: string): Promise<void> {
  for (const [name, command] of Object.entries(labPrograms())) {
    const file = join(dir, name);
    await writeFile(file, `#!/bin/sh\nexec ${command.map(quote).join(' ')} "$@"\n`);
    await chmod(file, 0o755);
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
