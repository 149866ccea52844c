import { Ip, type NodeId, Vni } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { expect, test } from 'vitest';
import { type CooldownVerdict, type HostsProgress, judgeAddress, judgeVni } from './cooldown.ts';

const cooldown = seconds(60);
const cooling = { ip: Ip('10.66.0.2'), node: 'a000000000000001' as NodeId, revision: 7n, seenAt: 1_000 };
const over: CooldownVerdict = { kind: 'over' };
const waits: CooldownVerdict = { kind: 'waits-for-hosts' };
const until = (at: number): CooldownVerdict => ({ kind: 'waits-until', at });

test.each<[string, HostsProgress, number | undefined, number, CooldownVerdict]>([
  ['no host has the network', {}, undefined, 1_000, over],
  ['every host has applied the release', { floor: 7n }, undefined, 1_000, over],
  ['a host with a session has not', { floor: 6n }, undefined, 1_000, waits],
  ['it has not for longer than the cooldown', { floor: 6n }, undefined, 900_000, waits],
  ['one host is silent since before the release', { floor: 7n, silentSince: 500 }, undefined, 60_999, until(61_000)],
  ['and was waited for', { floor: 7n, silentSince: 500 }, undefined, 61_000, over],
  ['it fell silent after the release', { floor: 7n, silentSince: 30_000 }, undefined, 61_000, until(90_000)],
  ['all are silent', { silentSince: 0 }, undefined, 61_000, over],
  ['waited for, but another can be asked', { floor: 6n, silentSince: 0 }, undefined, 61_000, waits],
  ['the host that had it is silent and left the network', { floor: 9n }, 2_000, 61_000, until(62_000)],
  ['the later of both counts', { floor: 9n, silentSince: 3_000 }, 2_000, 61_000, until(63_000)],
])('%s', (_name, progress, releaserSilentSince, now, expected) => {
  expect(judgeAddress(cooling, { progress, now, cooldown }, releaserSilentSince)).toEqual(expected);
});

test.each<[string, HostsProgress, number, CooldownVerdict]>([
  ['no host ever had the network: the cooldown all the same', {}, 60_999, until(61_000)],
  ['the cooldown has passed', {}, 61_000, over],
  ['a host with a session has not said that it is gone', { floor: 9n }, 900_000, waits],
  ['one is silent since before the deletion', { silentSince: 500 }, 61_000, over],
  ['one fell silent after it', { silentSince: 30_000 }, 61_000, until(90_000)],
  ['and was waited for', { silentSince: 30_000 }, 90_000, over],
  ['waited for, but another can be asked', { floor: 0n, silentSince: 0 }, 90_000, waits],
])('a VNI: %s', (_name, progress, now, expected) => {
  expect(judgeVni({ vni: Vni(4096), revision: 7n, seenAt: 1_000 }, { progress, now, cooldown })).toEqual(expected);
});
