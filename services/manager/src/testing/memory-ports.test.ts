import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, test } from 'vitest';
import { dialerContract } from '../election/dialer-contract.ts';
import { MemoryPorts } from './memory-ports.ts';

describe('MemoryPorts holds the contract of dialers', () => {
  test.each(dialerContract)('$name', async ({ run }) => {
    const clock = new FakeClock();
    const ports = new MemoryPorts({ clock });
    ports.latency = () => milliseconds(1);
    let count = 0;
    const story = run({
      dialer: ports,
      run: async (leads) => {
        const address = `m${++count}:7443`;
        ports.listen(address, leads);
        return address;
      },
      end: async (address) => ports.close(address),
      breakConnections: async (address) => ports.breakConnections(address),
      hang: async () => {
        const address = `m${++count}:7443`;
        ports.listen(address, () => true);
        ports.cut(address);
        return address;
      },
    });
    await clock.until(story, seconds(10));
  });
});
