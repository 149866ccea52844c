import { type LockTable, MemoryLock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { claimHost } from './exclusive.ts';

/** The start of an agent on a simulated machine. */
const claim = (table: LockTable, pid: number, netns: string, dataDir: string): Promise<() => void> =>
  claimHost({ host: new MemoryLock(table, netns, pid), dataDir: new MemoryLock(table, dataDir, pid) }, { dataDir });

describe('one agent', () => {
  it.each<[string, string, string, string]>([
    ['on one host, whatever its data directory', 'h1', '/other', 'another agent (process 7) runs on this host'],
    [
      'on one data directory, whatever its host',
      'h2',
      '/data',
      '--data-dir /data is used by another agent (process 7)',
    ],
  ])('%s', async (_, netns, dataDir, words) => {
    const table: LockTable = new Map();
    await claim(table, 7, 'h1', '/data');
    await expect(claim(table, 8, netns, dataDir)).rejects.toMatchObject({
      code: 'lock-held',
      message: expect.stringContaining(words),
      data: { pid: 7 },
    });
    // The refused agent holds no lock.
    expect([...table.values()]).toEqual([7, 7]);
  });

  it('after another', async () => {
    const table: LockTable = new Map();
    const release = await claim(table, 7, 'h1', '/data');
    release();
    await expect(claim(table, 8, 'h1', '/data')).resolves.toBeTypeOf('function');
  });

  it('on each of two hosts', async () => {
    const table: LockTable = new Map();
    await claim(table, 7, 'h1', '/data1');
    await expect(claim(table, 8, 'h2', '/data2')).resolves.toBeTypeOf('function');
  });
});
