import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The services' folder, seen alike from src/lab/io and dist/lab/io. */
const services = fileURLToPath(new URL('../../../../', import.meta.url));

/** The product's programs as built: name -> its JavaScript. */
export const programs: Readonly<Record<string, string>> = {
  causeway: join(services, 'ctl/dist/main.js'),
  'causeway-agent': join(services, 'agent/dist/main.js'),
  'causeway-manager': join(services, 'manager/dist/main.js'),
};

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
