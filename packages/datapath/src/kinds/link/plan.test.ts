import { Ip, Mac, Vni } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { newNamespace } from '../../draft.ts';
import { hostNetns, type NetnsPath, type State } from '../../state.ts';
import type { Bridge, Link, Veth, Vxlan } from './link.ts';
import { changeLink, makeLinks } from './plan.ts';

const overlay = '/run/netns/cw-0123456789' as NetnsPath;
const web = '/run/netns/web' as NetnsPath;
const mac = Mac('02:42:0a:42:00:09');
const other = Mac('02:42:0a:42:00:0a');
const base = { mac, mtu: 1450, up: true };
const bridge: Bridge = { kind: 'bridge', name: 'br0', ...base };
const tunnel: Vxlan = { kind: 'vxlan', name: 'vxlan0', ...base, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') };
const inner: Veth = { kind: 'veth', name: 'eth0', ...base };
const port: Veth = { kind: 'veth', name: 'v1', ...base, peer: { netns: web, name: 'eth0', mac, mtu: 1450 } };
const foreign: Link = { kind: 'foreign', name: 'br0', ...base };

const said = (steps: ReturnType<typeof changeLink>): string[] =>
  steps.map(([place, op]) => {
    const what = op.op === 'link.set' ? Object.entries(op.change).map(([key, value]) => `${key} ${value}`) : [];
    const name = op.op === 'link.add' ? op.link.name : op.name;
    return [`${place}:`, op.op, op.netns === overlay ? name : `${op.netns || 'host'} ${name}`, ...what].join(' ');
  });

describe('a link that is there', () => {
  it.each<[string, Link, Link, string[]]>([
    ['as desired stays', bridge, bridge, []],
    ['as desired stays, a tunnel', tunnel, { ...tunnel }, []],
    ['of another kind has no VTEP to change', { ...foreign, name: 'vxlan0' }, tunnel, []],
    ['down is set up', { ...bridge, up: false }, bridge, ['set link up: link.set br0 up true']],
    ['up is not set down', bridge, { ...bridge, up: false }, []],
    ['gets another MAC', bridge, { ...bridge, mac: other }, [`change link: link.set br0 mac ${other}`]],
    ['gets another MTU', bridge, { ...bridge, mtu: 1400 }, ['change link: link.set br0 mtu 1400']],
    [
      'gets both, and is set up after that',
      { ...bridge, up: false },
      { ...bridge, mac: other, mtu: 1400 },
      [`change link: link.set br0 mac ${other} mtu 1400`, 'set link up: link.set br0 up true'],
    ],
    [
      'gets another VTEP',
      tunnel,
      { ...tunnel, local: Ip('192.0.2.9') },
      ['change link: link.set vxlan0 local 192.0.2.9'],
    ],
    [
      "in a container shrinks before the host's end",
      inner,
      { ...inner, mtu: 1400 },
      ['shrink container: link.set eth0 mtu 1400'],
    ],
    [
      "in a container grows after the host's end",
      inner,
      { ...inner, mtu: 1500 },
      ['grow container: link.set eth0 mtu 1500'],
    ],
    [
      'in a container with the same MTU changes with the others',
      inner,
      { ...inner, mac: other },
      [`change link: link.set eth0 mac ${other}`],
    ],
    [
      "of a pair, the host's end, changes with the others",
      port,
      { ...port, mtu: 1400 },
      ['change link: link.set v1 mtu 1400'],
    ],
  ])('%s', (_, actual, desired, steps) => {
    expect(said(changeLink(overlay, { key: desired.name, actual, desired }))).toEqual(steps);
  });

  it.each<[string, Link | undefined, Link | undefined]>([
    ['made', undefined, bridge],
    ['deleted', bridge, undefined],
  ])('that is to be %s is not changed', (_, actual, desired) => {
    expect(changeLink(overlay, { key: 'br0', actual, desired })).toEqual([]);
  });
});

function stateOf(...namespaces: readonly (readonly [NetnsPath, ...Link[]])[]): State {
  return new Map(
    namespaces.map(([netns, ...links]) => {
      const namespace = newNamespace();
      for (const link of links) namespace.links.set(link.name, link);
      return [netns, namespace];
    }),
  );
}

describe('links are made and deleted', () => {
  it.each<[string, State, State, string[]]>([
    ['none where all is as desired', stateOf([overlay, bridge, tunnel]), stateOf([overlay, bridge, tunnel]), []],
    [
      'a bridge before other links',
      stateOf([overlay]),
      stateOf([overlay, bridge, tunnel]),
      ['add bridge: link.add br0', 'add link: link.add vxlan0'],
    ],
    ['a link that is not desired', stateOf([overlay, bridge]), stateOf([overlay]), ['delete link: link.delete br0']],
    [
      'a tunnel that is not desired, which holds a VNI, first',
      stateOf([overlay, tunnel]),
      stateOf([overlay]),
      ['delete link in the way: link.delete vxlan0'],
    ],
    ['no link of a container', stateOf([web, inner]), stateOf([web]), []],
    [
      "a link of ours in the host's namespace",
      stateOf([hostNetns, { ...bridge, name: 'cw-left' }]),
      stateOf([hostNetns]),
      ['delete link: link.delete host cw-left'],
    ],
    [
      'a link of another kind is in the way',
      stateOf([overlay, foreign]),
      stateOf([overlay, bridge]),
      ['delete link in the way: link.delete br0', 'add bridge: link.add br0'],
    ],
    [
      'a tunnel with another VNI is made anew',
      stateOf([overlay, { ...tunnel, vni: Vni(4097) }]),
      stateOf([overlay, tunnel]),
      ['delete link in the way: link.delete vxlan0', 'add link: link.add vxlan0'],
    ],
    [
      'a tunnel with another port is made anew',
      stateOf([overlay, { ...tunnel, port: 8472 }]),
      stateOf([overlay, tunnel]),
      ['delete link in the way: link.delete vxlan0', 'add link: link.add vxlan0'],
    ],
    [
      'a tunnel with other source ports is made anew',
      stateOf([overlay, tunnel]),
      stateOf([overlay, { ...tunnel, sourcePort: 4793 }]),
      ['delete link in the way: link.delete vxlan0', 'add link: link.add vxlan0'],
    ],
    [
      'a tunnel of the other family is made anew',
      stateOf([overlay, { ...tunnel, local: Ip('2001:db8::1') }]),
      stateOf([overlay, tunnel]),
      ['delete link in the way: link.delete vxlan0', 'add link: link.add vxlan0'],
    ],
    [
      'a tunnel with another VTEP is not',
      stateOf([overlay, { ...tunnel, local: Ip('192.0.2.9') }]),
      stateOf([overlay, tunnel]),
      [],
    ],
    [
      "the container's end comes with the host's end",
      stateOf([overlay], [web]),
      stateOf([overlay, port], [web, inner]),
      ['add link: link.add v1'],
    ],
    [
      'none for a pair that is whole',
      stateOf([overlay, port], [web, inner]),
      stateOf([overlay, port], [web, inner]),
      [],
    ],
    [
      'a pair whose end in the container is gone is made anew',
      stateOf([overlay, port], [web]),
      stateOf([overlay, port], [web, inner]),
      ['delete link in the way: link.delete v1', 'add link: link.add v1'],
    ],
    [
      "a pair whose host's end is gone is made anew: our end in the container is in the way",
      stateOf([overlay], [web, inner]),
      stateOf([overlay, port], [web, inner]),
      [`delete link in the way: link.delete ${web} eth0`, 'add link: link.add v1'],
    ],
    [
      'a link in the container that has the name and another MAC is not ours to delete',
      stateOf([overlay], [web, { ...inner, mac: other }]),
      stateOf([overlay, port], [web, inner]),
      ['add link: link.add v1'],
    ],
    [
      'a pair whose end in the container is of another kind is made anew',
      stateOf([overlay, port], [web, { ...inner, kind: 'foreign' }]),
      stateOf([overlay, port], [web, inner]),
      ['delete link in the way: link.delete v1', 'add link: link.add v1'],
    ],
    [
      'none for a pair that leads to a container of which nothing is desired',
      stateOf([overlay, port]),
      stateOf([overlay, port]),
      [],
    ],
    ['none of another program', stateOf([overlay]), stateOf([overlay, foreign]), []],
  ])('%s', (_, actual, desired, steps) => expect(said([...makeLinks(actual, desired)])).toEqual(steps));
});
