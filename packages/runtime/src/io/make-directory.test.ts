import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDirectory } from './make-directory.ts';

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'causeway-directory-'));
});
afterEach(() => rm(base, { recursive: true }));

describe('makeDirectory', () => {
  test('makes what is missing on the way, and is content with what is there', async () => {
    const path = join(base, 'a/b/c');
    for (let time = 0; time < 2; time++) await makeDirectory(path, 0o700);
    const made = await stat(path);
    expect({ directory: made.isDirectory(), mode: made.mode & 0o777 }).toEqual({ directory: true, mode: 0o700 });
  });

  test('a file is none, nor has it any below', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'below')])
      await expect(makeDirectory(path, 0o700)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('where nothing can be made it fails', async () => {
    await expect(makeDirectory('/proc/causeway/x', 0o700)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
