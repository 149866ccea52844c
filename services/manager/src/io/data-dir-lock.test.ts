import { MemoryLock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { claimDataDir } from './data-dir-lock.ts';

test('one manager writes a data directory, and the next manager learns which process that is', async () => {
  const table = new Map<string, number>();
  const claim = (pid: number): Promise<() => void> =>
    claimDataDir(new MemoryLock(table, '/data', pid), { dataDir: '/data' });
  const release = await claim(7);
  await expect(claim(8)).rejects.toMatchObject({
    code: 'lock-held',
    message:
      '--data-dir /data is used by another manager (process 7): stop it (systemctl stop causeway-manager, or kill 7) first, or name another directory',
    data: { field: '--data-dir', pid: 7 },
  });
  release();
  await expect(claim(8)).resolves.toBeTypeOf('function');
});
