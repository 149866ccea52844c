import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { DirectoryFiles } from '../io/directory-files.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import type { Files } from './files.ts';

const scratch = await mkdtemp(join(tmpdir(), 'causeway-files-'));
afterAll(() => rm(scratch, { recursive: true }));
let count = 0;

const implementations: { name: string; create: () => Files }[] = [
  { name: 'DirectoryFiles', create: () => new DirectoryFiles(join(scratch, `data-${count++}`, 'deep')) },
  { name: 'MemoryFiles', create: () => new MemoryFiles() },
];

describe.each(implementations)('Files contract: $name', ({ create }) => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const text = (read: Uint8Array | undefined): string | undefined =>
    read === undefined ? undefined : new TextDecoder().decode(read);

  it('starts empty and reads what is absent as undefined', async () => {
    const files = create();
    await files.open();
    expect(await files.list()).toEqual([]);
    expect(await files.read('none')).toBeUndefined();
  });

  it('reads back what was written, the last write winning, also when it is shorter', async () => {
    const files = create();
    await files.open();
    await files.write('network-1', bytes('a longer text'));
    await files.write('network-1', bytes('short'));
    expect(text(await files.read('network-1'))).toBe('short');
  });

  it('overwrites from the beginning and leaves the end, or makes the file', async () => {
    const files = create();
    await files.open();
    await files.overwrite('identity.a', bytes('one'));
    expect(text(await files.read('identity.a'))).toBe('one');
    await files.overwrite('identity.a', bytes('a longer text'));
    await files.overwrite('identity.a', bytes('SHORT'));
    expect(text(await files.read('identity.a'))).toBe('SHORTger text');
    await files.write('identity.a', bytes('whole'));
    await files.overwrite('identity.a', bytes('W'));
    await files.flush('identity.a');
    expect(text(await files.read('identity.a'))).toBe('Whole');
    expect(await files.list()).toEqual(['identity.a']);
  });

  it('lists names in order and removes; removing twice is no failure', async () => {
    const files = create();
    await files.open();
    for (const name of ['b', 'a', 'c']) await files.write(name, bytes(name));
    await files.remove('b');
    await files.remove('b');
    expect(await files.list()).toEqual(['a', 'c']);
  });

  it('opens again with what it had', async () => {
    const files = create();
    await files.open();
    await files.write('identity.a', bytes('me'));
    await files.open();
    expect(text(await files.read('identity.a'))).toBe('me');
  });

  it('keeps its own copy of what it was given and gives', async () => {
    const files = create();
    await files.open();
    const given = bytes('abc');
    await files.write('x', given);
    given.fill(0);
    (await files.read('x'))?.fill(0);
    expect(text(await files.read('x'))).toBe('abc');
  });
});

describe('DirectoryFiles', () => {
  it('says what is wrong with a directory that is a file', async () => {
    const path = join(scratch, 'a-file');
    await writeFile(path, '');
    await expect(new DirectoryFiles(path).open()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: `--data-dir: data directory ${path}: it is not a directory (ENOTDIR); name a directory that this user may write to`,
    });
  });

  it('says what is wrong with a directory that cannot be made', async () => {
    await expect(new DirectoryFiles('/proc/causeway').open()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('--data-dir: data directory /proc/causeway: it cannot be made (ENOENT)'),
    });
  });

  it('clears away what an interrupted write left', async () => {
    const path = join(scratch, 'interrupted');
    const files = new DirectoryFiles(path);
    await files.open();
    await writeFile(join(path, 'half.tmp'), 'ha');
    expect(await files.list()).toEqual([]);
    await files.open();
    expect(await readdir(path)).toEqual([]);
  });

  it('says that the disk is full, keeps what it had, and works when there is room again', async ({ skip }) => {
    const path = join(scratch, 'small');
    await mkdir(path);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', path]);
    if (mounted.status !== 0) {
      if (process.env['CI'] === 'true') throw new Error(`cannot mount: ${mounted.stderr}`);
      skip('needs root, to mount a small file system');
    }
    onTestFinished(() => void spawnSync('umount', [path]));
    const files = new DirectoryFiles(path);
    await files.open();
    await files.write('sandboxes.a', new Uint8Array(16_384).fill(1));
    const write = files.write('sandboxes.a', new Uint8Array(65_536));
    await expect(write).rejects.toMatchObject({
      code: 'disk-full',
      message: `data directory ${path}: its disk is full (ENOSPC)`,
    });
    expect(await files.read('sandboxes.a')).toEqual(new Uint8Array(16_384).fill(1));
    expect(await readdir(path)).toEqual(['sandboxes.a']);
    await files.write('sandboxes.b', new Uint8Array(16_384));
  });
});
