import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In a bundle this code is part of causeway.mjs, and the other programs lie beside that file. */
const isBundled = import.meta.url.endsWith('.mjs');
/** The services' folder, seen alike from src/lab/io and dist/lab/io. */
const services = fileURLToPath(new URL('../../../../', import.meta.url));

/** The product's programs as built: name -> its JavaScript. */
export const programs: Readonly<Record<string, string>> = {
  causeway: programPath('causeway', 'ctl'),
  'causeway-agent': programPath('causeway-agent', 'agent'),
  'causeway-manager': programPath('causeway-manager', 'manager'),
};

function programPath(name: string, service: string): string {
  return isBundled ? fileURLToPath(new URL(`${name}.mjs`, import.meta.url)) : join(services, service, 'dist/main.js');
}

/** Commands for the hosts' PATH, each starting a program with the Node that runs this. */
export async function writePrograms(dir: string): Promise<void> {
  for (const [name, path] of Object.entries(programs)) {
    const file = join(dir, name);
    await writeFile(file, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(path)} "$@"\n`);
    await chmod(file, 0o755);
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
