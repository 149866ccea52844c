import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Same as `mkdir -p`. Node's own `recursive` never returns when the parent exists but accepts no entries, as in /proc. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'EEXIST') {
      if ((await stat(path)).isDirectory()) return;
      throw Object.assign(new Error(`${path} is not a directory`), { code: 'ENOTDIR' });
    }
    if (errno !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), mode);
    await mkdir(path, mode);
  }
}
