import { Ip, Mac, Vni } from '@causeway/model';
import { type Encode, KernelError } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import { ourGroup } from '../../owner.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import { type Answer, bytesOf, ScriptedSocket } from '../../testing/scripted-socket.ts';
import {
  addBridge,
  addVeth,
  addVxlan,
  deleteLink,
  type LinkRecord,
  setLink,
  setPortFlags,
  setVxlanLocal,
} from '../../wire/link.ts';
import type { LinkWrite } from '../../wire/own-links.ts';
import type { Reading, Writing } from '../kind.ts';
import type { Link, LinkChange, LinkOp, Vxlan } from './link.ts';
import { applyLink, readLinks, writtenLink } from './real.ts';

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

const container = '/proc/7/ns/net' as NetnsPath;
const indexes: Readonly<Record<string, number>> = { br0: 2, v1: 3 };

interface World {
  /** Answers of the netlink sockets, in the order of the requests. */
  readonly answers?: readonly Answer[];
  /** Whether a link with the tunnel's name exists. */
  readonly hasLink?: boolean;
  /** Links that were moved away, and links of all namespaces. */
  readonly links?: readonly LinkRecord[];
}

/** What an op does in a namespace whose bridge is br0 (2), and whose port is v1 (3), with the MAC of the other tests. */
function apply(op: LinkOp, { answers = [], hasLink = false, links = [] }: World = {}) {
  const socket = new ScriptedSocket(...answers);
  const [sockets, joined, deleted]: [NetnsPath[], unknown[][], LinkRecord[]] = [[], [], []];
  const to: Writing = {
    socket(of) {
      sockets.push(of);
      return socket;
    },
    linkIndex: (_, dev) => indexes[dev] ?? 9,
    hasLink: () => hasLink,
    link: () => record('veth'),
    joined: (...all) => void joined.push(all),
    masterOf: () => 2,
    fd: (of) => (of === hostNetns ? undefined : 11),
    writeSysctl: () => undefined,
    openEncapSocket: async () => undefined,
    closeEncapSocket: async () => undefined,
    async deleteMoved(_, matches) {
      deleted.push(...links.filter(matches));
    },
    whereIs: async (matches) => (links.some(matches) ? 'a link' : 'no link'),
    /** Tries twice, as long as the error may pass. */
    async patiently(attempt, mayPass) {
      try {
        attempt();
      } catch (error) {
        if (!(error instanceof KernelError) || !mayPass(error.errno)) throw error;
        attempt();
      }
    },
  };
  return { socket, sockets, joined, deleted, done: applyLink(to, op) };
}

describe('a link that is made', () => {
  const bridgePort = port;
  const make = (link: Extract<LinkOp, { op: 'link.add' }>['link'], of = netns): LinkOp => {
    return { op: 'link.add', netns: of, link };
  };
  const peer = { netns: container, name: 'eth0', mac, mtu: 1450 };
  const far = { name: 'eth0', mac, mtu: 1450, netns: 11 };
  const toTunnel = tunnel as Vxlan;
  const asTunnel = { ...base, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') };

  it.each<[string, LinkOp, Encode, NetnsPath]>([
    ['a bridge', make({ kind: 'bridge', ...base }), addBridge(base), netns],
    [
      'a bridge of the host: it has our mark',
      make({ kind: 'bridge', ...base }, hostNetns),
      addBridge({ ...base, group: ourGroup }),
      hostNetns,
    ],
    ['a pair', make({ kind: 'veth', ...base, peer }), addVeth({ ...base, peer: far }), netns],
    [
      'a pair that is a port',
      make({ kind: 'veth', ...base, peer, bridgePort }),
      addVeth({ ...base, master: 2, peer: far }),
      netns,
    ],
    ['a tunnel, with its socket at the host', make(toTunnel), addVxlan({ ...asTunnel, netns: 11 }), hostNetns],
    ['a tunnel of the host', make(toTunnel, hostNetns), addVxlan({ ...asTunnel, group: ourGroup }), hostNetns],
  ])('%s: one message', async (_, op, message, sentIn) => {
    const { socket, sockets, done } = apply(op);
    await done;
    expect(socket.requests).toEqual([bytesOf([message])]);
    expect(sockets.at(-1)).toBe(sentIn);
  });

  it('joins its bridge: only a pair with a port is noted', () => {
    expect(apply(make({ kind: 'veth', ...base, peer, bridgePort })).joined).toEqual([[netns, 'l', 2]]);
    expect(apply(make({ kind: 'veth', ...base, peer })).joined).toEqual([]);
  });

  it.each<[string, Partial<typeof peer> | undefined]>([
    ['without its other end', undefined],
    ['with its other end at the host', { netns: hostNetns }],
  ])('a pair %s is refused', (_, end) => {
    const link = { kind: 'veth', ...base, ...(end && { peer: { ...peer, ...end } }) } as const;
    expect(() => apply(make(link))).toThrow(/^EINVAL/);
  });

  const holder = record('vxlan', { vxlan });
  it('a tunnel whose VNI our own moved tunnel holds: that one is deleted, and the tunnel is made', async () => {
    const links = [
      holder,
      record('vxlan', { vxlan: { ...vxlan, vni: 8 } }),
      record('vxlan', { vxlan: { ...vxlan, port: 4790 } }),
      record('vxlan', { vxlan: { ...vxlan, plain: false } }),
      record('vxlan', { vxlan, mac: Mac('02:00:00:00:00:01') }),
      record('dummy', { vxlan }),
    ];
    const { socket, deleted, done } = apply(make(toTunnel), { answers: ['EEXIST'], links });
    await done;
    expect([socket.requests.length, deleted]).toEqual([2, [holder]]);
  });

  it('a tunnel whose VNI is free a moment later is made', async () => {
    const { socket, done } = apply(make(toTunnel), { answers: ['EEXIST', 'EEXIST'] });
    await done;
    expect(socket.requests).toHaveLength(3);
  });

  it('a tunnel whose VNI stays taken is refused, and the link that holds the VNI is named', async () => {
    const links = [record('vxlan', { vxlan, mac: Mac('02:00:00:00:00:01') })];
    const { done } = apply(make(toTunnel), { answers: ['EEXIST', 'EEXIST', 'EEXIST'], links });
    await expect(done).rejects.toThrow('EEXIST: VNI 4096 on port 4789 is in use by a link: delete that link');
  });

  it.each<[string, World, number]>([
    ['its name is taken, for good', { answers: ['EEXIST'], hasLink: true }, 1],
    ['any other refusal', { answers: ['EPERM'] }, 1],
    ['any other refusal at the second try', { answers: ['EEXIST', 'EPERM'] }, 2],
  ])('a tunnel that cannot be made is refused as the kernel says: %s', async (_, of, requests) => {
    const { socket, done } = apply(make(toTunnel), of);
    await expect(done).rejects.toThrow(new RegExp(`^${of.answers?.at(-1)}$`));
    expect(socket.requests).toHaveLength(requests);
  });
});

describe('a link that changes', () => {
  const master = { master: 'br0', ...flags };
  it.each<[string, LinkChange, readonly Encode[]]>([
    ['nothing', {}, []],
    ['its MAC', { mac: Mac('02:00:00:00:00:01') }, [setLink(3, { mac: Mac('02:00:00:00:00:01') })]],
    ['the MAC that it has already: its neighbours would be lost', { mac }, []],
    ['its MTU', { mtu: 1400 }, [setLink(3, { mtu: 1400 })]],
    ['its source address', { local: Ip('192.0.2.9') }, [setVxlanLocal(3, Ip('192.0.2.9'))]],
    ['the flags of its port', { bridgePort: master }, [setPortFlags(3, flags)]],
    ['its bridge', { bridgePort: { ...master, master: 'br1' } }, [setLink(3, { master: 9 }), setPortFlags(3, flags)]],
    ['its state: up', { up: true }, [setLink(3, { up: true })]],
    ['its state: down', { up: false }, [setLink(3, { up: false })]],
    [
      'all, in this order',
      { up: true, bridgePort: master, local: Ip('192.0.2.9'), mtu: 1400, mac: Mac('02:00:00:00:00:01') },
      [
        setLink(3, { mac: Mac('02:00:00:00:00:01') }),
        setLink(3, { mtu: 1400 }),
        setVxlanLocal(3, Ip('192.0.2.9')),
        setPortFlags(3, flags),
        setLink(3, { up: true }),
      ],
    ],
  ])('%s', async (_, change, messages) => {
    const { socket, done } = apply({ op: 'link.set', netns, name: 'v1', change });
    await done;
    expect(socket.requests).toEqual(messages.map((message) => bytesOf([message])));
  });
});

it('a link is deleted by one message', () => {
  expect(apply({ op: 'link.delete', netns, name: 'v1' }).socket.requests).toEqual([bytesOf([deleteLink(3)])]);
});
