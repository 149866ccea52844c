import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataDir } from '../commands.ts';
import { labNames, labsDir } from './state.ts';

/** Marks that a lab made the data folder of the product, so that the last lab removes the folder. */
const marker = join(labsDir, '.made-data-dir');

/** Hosts mount their own file system over the product's data folder, so the folder must exist on the machine. */
export async function ensureMountPoint(): Promise<void> {
  const made = await mkdir(dataDir, { recursive: true });
  if (made !== undefined) await writeFile(marker, '');
}

/** Removes what was made for all labs, if no lab is left. */
export async function removeMountPoint(): Promise<void> {
  if ((await labNames()).length > 0) return;
  const made = await rm(marker).then(
    () => true,
    () => false,
  );
  // The removal fails when other files are in the folder, or another lab began meanwhile. Then the folder stays.
  if (made) await rmdir(dataDir).catch(() => undefined);
  await rmdir(labsDir).catch(() => undefined);
}
