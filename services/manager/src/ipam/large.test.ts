import { type EndpointId, firstAutomaticVni, lastVni, nthAddress, Prefix, sizeOf, type Vni } from '@causeway/model';
import { expect, test, vi } from 'vitest';
import { SubnetAddresses } from './subnet-addresses.ts';
import { Vnis } from './vni.ts';

/** Sets of millions. These tests take seconds, so `npm run mutation` leaves them out. */

const endpoint = 'e000000000000001' as EndpointId;

test('a turn is as few steps in a subnet of 2^20 that is 99 % full as in an empty one', () => {
  const prefix = Prefix('10.0.0.0/12');
  const full = new SubnetAddresses(prefix);
  const every = 101n;
  for (let offset = 1n; offset < sizeOf(prefix) - 1n; offset++)
    if (offset % every !== 0n) full.take(nthAddress(prefix, offset));
  full.account(nthAddress(prefix, 777_777n), undefined, {
    claim: { kind: 'endpoint', endpoint, asked: false },
    created: 1n,
    revision: 1n,
  });
  expect(stepsOf(() => full.inTurn().next())).toBeLessThanOrEqual(
    2 * stepsOf(() => new SubnetAddresses(prefix).inTurn().next()),
  );
  expect(full.inTurn().next().value).toBe(nthAddress(prefix, (777_777n / every + 1n) * every));
  expect(stepsOf(() => full.take(nthAddress(prefix, 808n)))).toBeLessThanOrEqual(
    2 * stepsOf(() => new SubnetAddresses(prefix).take(nthAddress(prefix, 808n))),
  );
});

test('no VNI is free when all are taken; the only free one is found wherever it is', () => {
  const vnis = new Vnis();
  for (let vni = firstAutomaticVni as number; vni <= lastVni; vni++) vnis.take(vni as Vni);
  expect(vnis.next()).toBeUndefined();
  vnis.giveBack(9_000_000 as Vni);
  expect(vnis.next()).toBe(9_000_000);
});

/** Number of tree nodes that a call reads: each node costs one lookup in a map. */
function stepsOf(call: () => unknown): number {
  const get = vi.spyOn(Map.prototype, 'get');
  try {
    call();
    return get.mock.calls.length;
  } finally {
    get.mockRestore();
  }
}
