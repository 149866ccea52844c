import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeLock } from '../testing/lock-contract.ts';
import { DirectoryLock } from './directory-lock.ts';

const scratch = async (): Promise<string> => await mkdtemp(join(tmpdir(), 'causeway-lock-'));

describeLock('DirectoryLock', async () => {
  const [directory, other] = [await scratch(), await scratch()];
  return {
    lock: () => new DirectoryLock(directory),
    other: () => new DirectoryLock(other),
    elsewhere: async () => {
      const script = 'exec 9<"$1"; flock -x 9; echo $$ >"$1/holder.pid"; echo held; exec sleep 60';
      const child = spawn('sh', ['-c', script, 'sh', directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      return {
        pid: child.pid ?? 0,
        kill: async () => {
          child.kill('SIGKILL');
          await ended;
        },
      };
    },
    close: async () => {
      for (const each of [directory, other]) await rm(each, { recursive: true });
    },
  };
});

it('is not passed on to the processes that its holder starts', async () => {
  const directory = await scratch();
  onTestFinished(() => rm(directory, { recursive: true }));
  const taken = await new DirectoryLock(directory).take();
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill());
  await once(child, 'spawn');
  if (taken.kind === 'held') taken.release();
  expect((await new DirectoryLock(directory).take()).kind).toBe('held');
});

it('says why a directory cannot be locked', async () => {
  await expect(new DirectoryLock('/nowhere/at/all').take()).rejects.toMatchObject({ code: 'ENOENT' });
});
