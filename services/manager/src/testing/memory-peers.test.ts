import { describe, test } from 'vitest';
import type { Peer } from '../cluster/peers.ts';
import { peersContract } from '../cluster/peers-contract.ts';
import { MemoryPeers } from './memory-peers.ts';

describe('MemoryPeers holds the contract of peers', () => {
  test.each(peersContract)('$name', async ({ run }) => {
    const serving = new Map<string, Peer>();
    await run({
      peers: new MemoryPeers((address) => serving.get(address)),
      serve: async (peer) => {
        const address = `m${serving.size}:7443`;
        serving.set(address, peer);
        return address;
      },
      leave: async (address) => {
        serving.delete(address);
      },
    });
  });
});
