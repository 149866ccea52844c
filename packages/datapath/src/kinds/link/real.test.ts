import { Ip, Mac, Vni } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import type { NetnsPath } from '../../state.ts';
import type { LinkRecord } from '../../wire/link.ts';
import type { LinkWrite } from '../../wire/own-links.ts';
import type { Reading } from '../kind.ts';
import type { Link, LinkOp } from './link.ts';
import { readLinks, writtenLink } from './real.ts';

const mac = Mac('02:42:0a:42:00:09');
const base = { name: 'l', mac, mtu: 1450, up: true };
const record = (kind: string, over: Partial<LinkRecord> = {}): LinkRecord => {
  return { index: 3, ...base, carrier: true, group: 0, crossesNamespaces: false, kind, ...over };
};
const flags = { learning: false, flood: true };
const port = { master: 'br0', ...flags };
const vxlan = { vni: 4096, port: 4789, local: Ip('192.0.2.1'), plain: true };
const tunnel: Link = { kind: 'vxlan', ...base, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') };
const foreign: Link = { kind: 'foreign', ...base };

/** The link as it is read in a namespace whose bridge has index 2. */
function read(of: LinkRecord, isHostNetns = false): Link | undefined {
  const names = new Map([
    [2, 'br0'],
    [of.index, of.name],
  ]);
  return readLinks({ links: new Map([[of.index, of]]), names, isHostNetns } as unknown as Reading).get(of.name);
}

describe('a link that is read', () => {
  it.each<[string, LinkRecord, boolean, Link]>([
    ['a bridge', record('bridge'), false, { kind: 'bridge', ...base }],
    ['a pair', record('veth'), false, { kind: 'veth', ...base }],
    [
      'a pair that is a port',
      record('veth', { master: 2, port: flags }),
      false,
      { kind: 'veth', ...base, bridgePort: port },
    ],
    ['a pair with a master that is no bridge', record('veth', { master: 2 }), false, { kind: 'veth', ...base }],
    ['a pair that has just left its bridge', record('veth', { port: flags }), false, { kind: 'veth', ...base }],
    ['a tunnel on a socket of the host', record('vxlan', { vxlan, crossesNamespaces: true }), false, tunnel],
    [
      'a tunnel that is a port',
      record('vxlan', { vxlan, crossesNamespaces: true, master: 2, port: flags }),
      false,
      { ...tunnel, bridgePort: port } as Link,
    ],
    ["a tunnel in the host's namespace", record('vxlan', { vxlan }), true, tunnel],
    ['a tunnel on a socket of its own namespace', record('vxlan', { vxlan }), false, foreign],
    [
      'a tunnel with settings that no network has',
      record('vxlan', { vxlan: { ...vxlan, plain: false }, crossesNamespaces: true }),
      false,
      foreign,
    ],
    ['a device of another kind', record('dummy'), false, foreign],
  ])('is %s', (_, found, isHostNetns, link) => expect(read(found, isHostNetns)).toEqual(link));

  it('without an Ethernet address has zeros', () => {
    const { mac: _, ...rest } = record('wireguard');
    expect(read(rest)?.mac).toBe('00:00:00:00:00:00');
  });
});

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const made = { name: 'v1', mac, mtu: 1450, up: true };

it.each<[string, LinkOp, LinkWrite | undefined]>([
  [
    'a change',
    { op: 'link.set', netns, name: 'v1', change: { up: true } },
    { kind: 'changed', name: 'v1', change: { up: true } },
  ],
  ['a new pair', { op: 'link.add', netns, link: { kind: 'veth', ...made } }, { kind: 'made', link: made }],
  ['a new bridge is read anyway', { op: 'link.add', netns, link: { kind: 'bridge', ...made } }, undefined],
  ['a removal', { op: 'link.delete', netns, name: 'v1' }, undefined],
])('what was written, to know its notification again: %s', (_, op, written) => {
  expect(writtenLink(op)).toEqual(written);
});
