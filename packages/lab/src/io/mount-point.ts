import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataDir } from '../commands.ts';
import { labNames, labsDir } from './state.ts';

/** Says that the folder below was made by a lab, so that the last one removes it. */
const marker = join(labsDir, '.made-data-dir');

/** Hosts mount their own file system over the product's data folder; it has to exist on the machine for that. */
export async function ensureMountPoint(): Promise<void> {
  const made = await mkdir(dataDir, { recursive: true });
  if (made !== undefined) await writeFile(marker, '');
}

/** Removes what was made for labs in general, if none is left. */
export async function removeMountPoint(): Promise<void> {
  if ((await labNames()).length > 0) return;
  const made = await rm(marker).then(
    () => true,
    () => false,
  );
  // Not when something else was put there, or another lab began meanwhile.
  if (made) await rmdir(dataDir).catch(() => undefined);
  await rmdir(labsDir).catch(() => undefined);
}
