import { Mac } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import type { Link } from './kinds/link/link.ts';
import { isOurEnd, isOurLink, isOverlayNetns } from './owner.ts';
import { hostNetns, type NetnsPath } from './state.ts';
import { containerPath } from './testing/fixtures.ts';

const [ours, another] = [Mac('02:42:0a:42:00:02'), Mac('02:42:0a:42:00:03')];
const overlay = '/run/netns/cw-0123456789' as NetnsPath;

/** A link of the kind with this MAC. What else it has does not matter here. */
const link = (kind: 'veth' | 'bridge' | 'foreign', mac: Mac): Link => ({
  kind,
  name: 'eth0',
  mac,
  mtu: 1450,
  up: true,
});

describe('a link in a container that has the name of our end', () => {
  const desired = { netns: containerPath(2), name: 'eth0', mac: ours, mtu: 1450 };

  it.each<[string, Link, boolean]>([
    ['is ours as the end of a pair with our MAC', link('veth', ours), true],
    ['is not ours as the end of a pair with another MAC', link('veth', another), false],
    ['is not ours as a link of another kind, even with our MAC', link('foreign', ours), false],
    ['is not ours as a bridge, even with our MAC', link('bridge', ours), false],
  ])('%s', (_, found, expected) => expect(isOurEnd(found, desired)).toBe(expected));
});

it.each<[path: string, isOverlay: boolean]>([
  ['/run/netns/cw-0123456789', true],
  ['/run/netns/cw-abcdefabcd', true],
  ['/run/netns/cw-012345678', false],
  ['/run/netns/cw-01234567890', false],
  ['/run/netns/cw-ABCDEFABCD', false],
  ['/var/run/netns/cw-0123456789', false],
  ['/run/netns/web', false],
  ['', false],
])('the path "%s" is one of an overlay: %s', (path, isOverlay) => {
  expect(isOverlayNetns(path as NetnsPath)).toBe(isOverlay);
});

it.each<[netns: NetnsPath, isOurs: boolean]>([
  [overlay, true],
  [hostNetns, true],
  [containerPath(2), false],
])('in namespace "%s" a link that is found and not desired is ours to remove: %s', (netns, isOurs) => {
  expect(isOurLink(netns)).toBe(isOurs);
});
