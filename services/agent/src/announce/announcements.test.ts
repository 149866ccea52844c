import type { NewAddress } from '@causeway/datapath';
import { Ip, Mac, type NetworkId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { announcementsOf, delays, reachable } from './announcements.ts';

const networkId = 'b10e000000000001' as NetworkId;
const [a, b, c] = [Mac('02:42:0a:42:00:02'), Mac('02:42:0a:42:00:03'), Mac('02:42:0a:42:00:04')] as const;
const peer: NewAddress = { ip: Ip('10.66.0.4'), mac: c, isOwn: false };
const own: NewAddress = { ip: Ip('10.66.0.2'), mac: a, isOwn: true };
const now = 1_000;

describe('announcements of new addresses', () => {
  const of = (addresses: readonly NewAddress[], macs: readonly Mac[]) =>
    announcementsOf({ networkId, addresses, own: macs }, now);

  it('a peer is announced to all containers, when its own host has had time to program it', () => {
    expect(of([peer], [a, b])).toEqual([
      { networkId, announcement: { ip: peer.ip, mac: c, to: 'all' }, receivers: 2, due: now + delays.peer },
    ]);
  });

  it('a container of this host is announced as soon as it has its address; its IPv6 address to the others only', () => {
    expect(of([own], [a, b])).toEqual([
      { networkId, announcement: { ip: own.ip, mac: a, to: 'all' }, receivers: 1, due: now },
    ]);
    const own6 = { ...own, ip: Ip('fd66::2') };
    expect(of([own6], [a, b])).toEqual([
      { networkId, announcement: { ip: own6.ip, mac: a, to: [b] }, receivers: 1, due: now + delays.own6 },
    ]);
  });

  it('nothing is announced when no container of this host would hear it', () => {
    expect(of([peer], [])).toEqual([]);
    expect(of([own], [a])).toEqual([]);
  });
});

it('a new address is not reachable while the kernel refuses one of its entries', () => {
  const netns = '' as never;
  const refusal = { errno: 'ENOBUFS', message: '' };
  const neighbour = { op: { op: 'neighbour.set', netns, dev: 'vxlan0', ip: peer.ip, mac: c }, ...refusal } as const;
  const fdb = { op: { op: 'fdb.set', netns, dev: 'v1', mac: a, target: 'port' }, ...refusal } as const;
  const gone = { op: { op: 'fdb.delete', netns, dev: 'v1', mac: a, target: 'port' }, ...refusal } as const;
  expect(reachable([peer, own], [])).toEqual([peer, own]);
  expect(reachable([peer, own], [neighbour])).toEqual([own]);
  expect(reachable([peer, own], [fdb])).toEqual([peer]);
  expect(reachable([peer, own], [gone])).toEqual([peer, own]);
});
