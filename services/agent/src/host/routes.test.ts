import { Prefix } from '@causeway/model';
import { MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { HostRoutes, outermost } from './routes.ts';

test('routes that lie in another say nothing more', () => {
  const routes = ['10.1.2.0/24', '10.0.0.0/8', '192.168.0.0/24', 'fd00::/8', 'fd01::/64', '10.0.0.0/8'].map(Prefix);
  expect(outermost(routes)).toEqual(['10.0.0.0/8', 'fd00::/8', '192.168.0.0/24']);
});

test('known routes stay when the kernel does not answer; of too many routes the largest are reported', async () => {
  let answer: () => Promise<readonly Prefix[]> = async () =>
    Array.from({ length: 300 }, (_, i) => Prefix(i === 299 ? '11.0.0.0/8' : `10.${i >> 8}.${i & 255}.0/24`));
  const routes = new HostRoutes({ kernel: { routes: () => answer() }, log: new MemoryLog() });
  await routes.refresh();
  expect(routes.prefixes).toHaveLength(256);
  expect(routes.prefixes[0]).toBe('11.0.0.0/8');
  answer = () => Promise.reject(new Error('no netlink'));
  await routes.refresh();
  expect(routes.prefixes).toHaveLength(256);
});
