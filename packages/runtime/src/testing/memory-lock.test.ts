import { describeLock } from './lock-contract.ts';
import { type LockTable, MemoryLock } from './memory-lock.ts';

describeLock('MemoryLock', async () => {
  const table: LockTable = new Map();
  return {
    lock: () => new MemoryLock(table, 'a', process.pid),
    other: () => new MemoryLock(table, 'b', process.pid),
    elsewhere: async () => {
      const pid = 4711;
      const taken = await new MemoryLock(table, 'a', pid).take();
      return { pid, kill: async () => (taken.kind === 'held' ? taken.release() : undefined) };
    },
    close: async () => undefined,
  };
});
