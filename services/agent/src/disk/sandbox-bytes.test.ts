import { hostNetns } from '@causeway/datapath';
import type { Name, NetworkId, NodeId, RequestId } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endpointRow } from '../testing/table.ts';
import { decodeSandboxes, type Sandbox } from './sandbox.ts';
import { SandboxBytes } from './sandbox-bytes.ts';

const all = Array.from({ length: 40 }, (_, n): Sandbox => {
  const { id, addresses, mac } = endpointRow(n);
  return {
    // Names of different lengths, so that the bytes of no two sandboxes are as long.
    endpoint: {
      id,
      network: 'n' as NetworkId,
      name: `é${'x'.repeat(n)}` as Name,
      node: 'h1' as NodeId,
      addresses,
      mac,
    },
    claimed: { epoch: 1n, revision: BigInt(n) },
    requestId: `r${n}` as RequestId,
    netns: hostNetns,
    identity: `net:${n}`,
    ifname: 'eth0',
    gateway: { priority: 0, slot: n },
  };
});

it('holds the sandboxes of each write, whatever was added and removed since the write before', () => {
  fc.assert(
    fc.property(fc.array(fc.shuffledSubarray(all), { minLength: 1 }), (writes) => {
      const bytes = new SandboxBytes();
      for (const sandboxes of writes) expect(decodeSandboxes(bytes.of(sandboxes))).toEqual(sandboxes);
    }),
  );
});

it('holds the sandboxes of a host that attaches one after the other, and detaches the first', () => {
  const bytes = new SandboxBytes();
  for (let n = 0; n <= all.length; n++) expect(decodeSandboxes(bytes.of(all.slice(0, n)))).toEqual(all.slice(0, n));
  expect(decodeSandboxes(bytes.of(all.slice(1)))).toEqual(all.slice(1));
});
