import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { createManager, type Manager } from '../manager.ts';
import { unknownHostWindow } from '../plan/recovery.ts';
import { createKeys, defaultPrefix } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { encodeText } from '../store/records/codec.ts';
import { MemoryPeers } from '../testing/memory-peers.ts';

const keys = createKeys();

async function until(clock: FakeClock, holds: () => boolean): Promise<number> {
  while (!holds()) {
    if (clock.now() > seconds(120)) throw new Error('not after two minutes');
    await clock.advance(milliseconds(10));
  }
  return clock.now();
}

test('hosts are waited for from the beginning of the term on that ends the recovery, however short the time between two terms', async () => {
  const clock = new FakeClock();
  const backend = new MemoryBackend({ clock });
  const store = new MemoryStore({ clock, backend });
  const log = new MemoryLog();
  const manager: Manager = createManager(
    { store, peers: new MemoryPeers(() => undefined), clock, random: new SeededRandom(1), log },
    { name: 'm1', advertise: 'm1:7443', leaseTtl: seconds(3), prefix: defaultPrefix },
  );
  const other = new MemoryStore({ clock, backend });
  await other.txn([], [{ kind: 'put', key: keys.recovery, value: encodeText('{}') }]);
  await clock.until(manager.start(), seconds(10));
  await until(clock, () => manager.isLeader);
  let began = 0;
  manager.onLeadership((leads) => {
    if (leads) began = clock.now();
  });
  await clock.advance(seconds(4.4));
  await other.txn([], [{ kind: 'delete', key: keys.leader }]); // the manager loses its leadership, and wins it again at once
  const ended = await until(clock, () => !manager.view.recovering);
  expect(began).toBeGreaterThan(4_000);
  expect(ended - began).toBeGreaterThanOrEqual(unknownHostWindow);
  expect(ended - began).toBeLessThan(unknownHostWindow + 1_000);
  await clock.until(manager.stop(), seconds(20));
  backend.close();
});
