import { Ip, type Mtu, Prefix } from '@causeway/model';
import { expect, test } from 'vitest';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { scriptNetwork } from '../testing/view-script.ts';
import { judgeMtu, type MtuVerdict } from './mtu-gate.ts';

const now = 100_000;
/** Bytes that the host carries. */
const small = 1350;
const lowered: Mtu = { kind: 'automatic', bytes: 1350, highest: 1450 };

test.each<[string, Mtu, HostsProgress, MtuVerdict['kind']]>([
  ['an MTU that was never more', { kind: 'automatic', bytes: 1350 }, { floor: 0n, silentSince: now }, 'open'],
  [
    'one that was more, and still what the host carries',
    { ...lowered, bytes: 1300, highest: 1350 },
    { floor: 0n },
    'open',
  ],
  ['one that is more than the host carries', { kind: 'automatic', bytes: 1450 }, {}, 'too-large'],
  ['one that is fixed at more', { kind: 'fixed', bytes: 9000 }, { floor: 0n }, 'open'],
  ['no host has the network', lowered, {}, 'open'],
  ['a host has not applied it', lowered, { floor: 6n }, 'waits'],
  ['every host has', lowered, { floor: 7n }, 'open'],
  ['a host may be changing to another leader', lowered, { floor: 7n, silentSince: now - 5_000 }, 'waits'],
  ['a host is silent', lowered, { floor: 7n, silentSince: now - 6_000 }, 'open'],
])('%s', (_name, mtu, progress, expected) => {
  const network = { value: { ...scriptNetwork(1), mtu }, revision: 7n };
  expect(judgeMtu(network, small, () => progress, now).kind).toBe(expected);
});

/** For networks that are open to any host: the gate must look at no host. */
const unasked = (): never => {
  throw new Error('hosts were looked at');
};

test('a network that has never had more than the host carries costs no look at its hosts', () => {
  const value = { ...scriptNetwork(1), mtu: { kind: 'automatic', bytes: 1300 } as const };
  expect(judgeMtu({ value, revision: 7n }, small, unasked, now).kind).toBe('open');
});

test('IPv6 keeps its 1280 bytes, which a smaller underlay carries in fragments', () => {
  const subnets = [{ prefix: Prefix('fd66::/64'), gateway: Ip('fd66::1') }];
  const value = { ...scriptNetwork(1), subnets, mtu: { kind: 'automatic', bytes: 1280 } as const };
  expect(judgeMtu({ value, revision: 7n }, 1150, unasked, now).kind).toBe('open');
});
