import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { describeLock } from '@causeway/runtime/lock-contract';
import { NetnsLock } from './netns-lock.ts';

const koffi = createRequire(import.meta.url).resolve('koffi');
const holder = `
  const libc = require(process.argv[1]).load(null);
  const fd = libc.func('int socket(int, int, int)')(1, 1, 0);
  const name = '\\0\\0\\0' + process.argv[2];
  const address = Buffer.from(name);
  address.writeUInt16LE(1);
  libc.func('int bind(int, const void *, uint32_t)')(fd, address, address.length);
  console.log('held');
  setInterval(() => undefined, 1e6);`;

describeLock('NetnsLock', async () => {
  const name = `causeway-test-${randomUUID()}`;
  return {
    lock: () => new NetnsLock(name),
    other: () => new NetnsLock(`${name}x`),
    elsewhere: async () => {
      const child = spawn(process.execPath, ['-e', holder, koffi, name], { stdio: ['ignore', 'pipe', 'inherit'] });
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
    close: async () => undefined,
  };
});
