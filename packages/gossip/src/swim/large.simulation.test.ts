import { expect, test } from 'vitest';
import { agree } from '../testing/cluster.ts';
import { SimNetwork } from '../testing/sim-network.ts';
import { lan } from './profile.ts';

/** CAUSEWAY_NODES=1000 npm test -- --project unit packages/gossip/src/swim/large: takes minutes, and 2 GiB. */
const count = Number(process.env['CAUSEWAY_NODES'] ?? '200');

test('many nodes in one process: all join at once, know each other after a while, and miss one that dies', () => {
  const network = new SimNetwork({ seed: 1, profile: lan, isWatched: false });
  const first = network.add('n0');
  for (let i = 1; i < count; i++) network.join(network.add(`n${i}`), network.nodes[Math.floor(i / 2)] ?? first);
  network.run(30_000, () => agree(network));
  expect(agree(network)).toBe(true);
  const node = network.nodes[count >> 1];
  if (node !== undefined) network.kill(node);
  network.run(60_000, () => agree(network));
  expect(agree(network)).toBe(true);
}, 1_200_000);
