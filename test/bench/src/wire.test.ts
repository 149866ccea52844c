import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { describe, expect, test } from 'vitest';
import { framed, type Glance, glance, glanceBytes, Heads, responseFields } from './wire.ts';

const id = 'b000000000000007';
const row = {
  id: 'e1',
  name: 'web',
  nodeId: 'a1',
  addresses: ['10.0.0.1/16'],
  mac: '02:42:0a:00:00:01',
  vtep: '10.9.0.1',
};
const complete = (rows: number): ConnectResponse['message'] => ({
  oneofKind: 'complete',
  complete: {
    ...{
      network: Network.create({ id, name: 'wide', mtu: 1450 }),
      revision: 70_000n,
      digest: 5n,
      epoch: 0n,
      feedVersion: 0,
    },
    endpoints: Array.from({ length: rows }, () => row),
  },
});
const delta: ConnectResponse['message'] = {
  oneofKind: 'delta',
  delta: { networkId: id, from: 3n, to: 2n ** 40n, digest: 1n, endpoints: [row], removedEndpointIds: ['e2'] },
};

const cases: readonly [string, ConnectResponse['message'], Glance][] = [
  ['a table', complete(3), { field: responseFields.complete, networkId: id, revision: 70_000n }],
  [
    'a table larger than what is kept',
    complete(1_000),
    { field: responseFields.complete, networkId: id, revision: 70_000n },
  ],
  ['a delta', delta, { field: responseFields.delta, networkId: id, revision: 2n ** 40n }],
  [
    'anything else',
    { oneofKind: 'ready', ready: { revision: 9n } },
    { field: responseFields.ready, networkId: '', revision: 0n },
  ],
];

describe('a glance at', () => {
  test.each(cases)('%s', (_name, message, expected) => {
    const bytes = Buffer.from(ConnectResponse.toBinary({ message }));
    expect(glance(bytes.subarray(0, glanceBytes))).toEqual(expected);
  });
});

test.each([1, 7, 5000, 10_000_000])('a stream is cut into its messages, whatever chunks of %d bytes cut', (size) => {
  const stream = Buffer.concat(cases.map(([, message]) => framed(ConnectResponse.toBinary({ message }))));
  const heads = new Heads();
  const found: Glance[] = [];
  for (let at = 0; at < stream.length; at += size)
    for (const head of heads.take(stream.subarray(at, at + size))) found.push(glance(head));
  expect(found).toEqual(cases.map(([, , expected]) => expected));
});
