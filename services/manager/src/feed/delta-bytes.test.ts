import {
  type EndpointRow,
  feedVersions,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type Network,
  type NetworkId,
  type NodeId,
  noRowChanges,
  Prefix,
  Vni,
} from '@causeway/model';
import { endpointRows, networkToMessage, rowChangesToMessage } from '@causeway/proto';
import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaBytes } from './delta-bytes.ts';

const network = 'a'.repeat(16) as NetworkId;
const changed: Network = {
  id: network,
  name: 'blue' as Name,
  addressSpace: 'default' as Name,
  driver: 'overlay',
  internal: false,
  vni: Vni(4096),
  mtu: { kind: 'automatic', bytes: 1450 },
  subnets: [{ prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') }],
  labels: {},
};
const row = (n: number): EndpointRow => ({
  id: n.toString(16).padStart(16, '0') as EndpointRow['id'],
  name: `web-${n}` as Name,
  node: 'b'.repeat(16) as NodeId,
  addresses: [InterfaceAddress(`10.66.0.${n}/16`)],
  mac: Mac('02:42:0a:42:00:09'),
  vtep: Ip('10.90.0.1'),
});

const digest = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const parts = fc.record({
  from: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  to: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  sums: fc.tuple(...feedVersions.map(() => fc.oneof(digest, fc.constant(0n)))),
  changed: fc.option(fc.constant({ value: changed, revision: 7n }), { nil: undefined }),
  upserts: fc.uniqueArray(fc.integer({ min: 1, max: 200 })).map((numbers) => numbers.map(row)),
  removed: fc.uniqueArray(fc.integer({ min: 1, max: 200 })).map((numbers) => numbers.map((n) => row(n).id)),
});

describe('DeltaBytes', () => {
  it('are the message of each version, as the library reads it', () => {
    fc.assert(
      fc.property(parts, (step) => {
        const { upserts, removed, ...rest } = step;
        const delta = new DeltaBytes(
          { network, ...rest, changes: { ...noRowChanges(), endpoint: { upserts, removed } } },
          feedVersions,
        );
        for (const [place, feed] of feedVersions.entries()) {
          const read = ConnectResponse.fromBinary(delta.of(feed)).message;
          expect(read).toEqual({
            oneofKind: 'delta',
            delta: {
              networkId: network,
              from: step.from,
              to: step.to,
              digest: step.sums[place],
              ...(step.changed && { network: networkToMessage(changed, 7n) }),
              ...rowChangesToMessage(noRowChanges()),
              endpoints: upserts.map(endpointRows.toMessage),
              removedEndpointIds: removed,
            },
          });
        }
      }),
    );
  });

  it('are made once for each version', () => {
    const changes = noRowChanges();
    const delta = new DeltaBytes({ network, from: 1n, to: 2n, sums: [3n, 4n], changes }, feedVersions);
    for (const feed of feedVersions) expect(delta.of(feed)).toBe(delta.of(feed));
    expect(delta.of(feedVersions[0] as never)).not.toEqual(delta.of(feedVersions[1] as never));
  });
});
