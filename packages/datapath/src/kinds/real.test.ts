import { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import { type Encode, KernelError, type MessageWriter } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import { newNamespace } from '../draft.ts';
import type { NetnsPath } from '../state.ts';
import { addressMessage, entryMessage, putBytes, received, routeMessage } from '../testing/kernel-messages.ts';
import { type Answer, bytesOf, ScriptedSocket } from '../testing/scripted-socket.ts';
import { addAddress, deleteAddress } from '../wire/address.ts';
import * as k from '../wire/constants.ts';
import type { LinkRecord } from '../wire/link.ts';
import { deleteFdb, deleteNeighbour, getFdb, noVtep, setFdb, setNeighbour } from '../wire/neighbour.ts';
import { deleteRoute, setRoute } from '../wire/route.ts';
import { address } from './address.ts';
import { type FdbOp, type FdbTarget, fdb } from './fdb.ts';
import type { Kind, Reading, Writing } from './kind.ts';
import { neighbour } from './neighbour.ts';
import { type Route, type RouteOp, route } from './route.ts';
import type { Op } from './table.ts';

/* What a kind reads of the kernel's answers, and which messages it sends. The messages themselves are in wire/. */

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const mac = Mac('02:42:0a:42:00:09');
const other = Mac('02:42:0a:42:00:0a');
const lladdr = (of: string): ((to: MessageWriter) => void) => {
  const bytes = of.split(':').map((byte) => Number.parseInt(byte, 16));
  return (to) => putBytes(to, k.NDA_LLADDR, ...bytes);
};

const [bridge, tunnel, port, plain] = [2, 3, 4, 5];
const records = new Map(
  [
    { index: bridge, name: 'br0', kind: 'bridge' },
    { index: tunnel, name: 'vxlan0', kind: 'vxlan' },
    { index: port, name: 'v1', kind: 'veth', port: { learning: true, flood: true } },
    { index: plain, name: 'eth0', kind: 'veth' },
  ].map((link) => [link.index, link as LinkRecord]),
);

/** What a kind reads in a namespace with these links, and the requests that the kind sends for it. */
async function read<KindOp extends Op>(
  { real }: Kind<string, never, never, KindOp>,
  answers: readonly Encode[],
  links: readonly number[] = [...records.keys()],
) {
  const socket = new ScriptedSocket(answers);
  const inScope = new Map([...records].filter(([index]) => links.includes(index)));
  const found = await real.read?.({ links: inScope, socket: () => socket } as unknown as Reading);
  return { found, requests: socket.requests.length };
}

const anyKind = <Of>(kind: Of): Kind<string, never, never, Op> => kind as never;

describe('the FDB entries of a namespace', () => {
  const toVtep = (last: number, of: string = mac, index = tunnel): Encode =>
    entryMessage({ index, flags: k.NTF_SELF }, (to) => {
      lladdr(of)(to);
      putBytes(to, k.NDA_DST, 192, 0, 2, last);
    });
  const toPort = (index: number, of: string = mac): Encode => entryMessage({ index, state: k.NUD_NOARP }, lladdr(of));

  it.each<[string, readonly Encode[], readonly [string, string, FdbTarget][]]>([
    ['of a tunnel', [toVtep(2)], [['vxlan0', mac, Ip('192.0.2.2')]]],
    [
      'of a tunnel, several VTEPs of a MAC',
      [toVtep(2), toVtep(3), toVtep(4)],
      [['vxlan0', mac, ['192.0.2.2', '192.0.2.3', '192.0.2.4'].map((ip) => Ip(ip))]],
    ],
    [
      'of two MACs',
      [toVtep(2), toVtep(3, other)],
      [
        ['vxlan0', mac, Ip('192.0.2.2')],
        ['vxlan0', other, Ip('192.0.2.3')],
      ],
    ],
    ['of a port', [toPort(port)], [['v1', mac, 'port']]],
    ['of a port, twice', [toPort(port), toPort(port)], [['v1', mac, 'port']]],
    ['the copy that a bridge has of an entry of its tunnel: none', [toPort(tunnel)], []],
    ['of a link outside the scope: none', [toPort(9), toVtep(2, mac, 9)], []],
  ])('%s', async (_, answers, expected) => {
    const { found } = await read(anyKind(fdb), answers);
    const of = [...(found as ReadonlyMap<string, ReadonlyMap<Mac, FdbTarget>>)];
    expect(of.flatMap(([dev, entries]) => [...entries].map(([key, target]) => [dev, key, target]))).toEqual(expected);
  });

  it.each<[string, readonly number[], number]>([
    ['with a tunnel', [tunnel], 1],
    ['with a port', [port], 1],
    ['with other links only: the kernel is not asked', [bridge, plain], 0],
    ['with a tunnel among other links', [bridge, tunnel, plain], 1],
  ])('%s', async (_, links, requests) => {
    expect((await read(anyKind(fdb), [], links)).requests).toBe(requests);
  });

  it.each<[string, readonly Answer[], FdbTarget | undefined, readonly ('self' | 'master')[]]>([
    ['of a tunnel: asked for once', [[toVtep(2)]], Ip('192.0.2.2'), ['self']],
    ['of a tunnel that has no such entry', ['ENOENT'], undefined, ['self']],
    [
      'of a device without tunnel entries: its bridge is asked',
      ['EOPNOTSUPP', [toPort(tunnel)]],
      'port',
      ['self', 'master'],
    ],
    ['of a device without tunnel entries, not at its bridge', ['EOPNOTSUPP', 'ENOENT'], undefined, ['self', 'master']],
    ['of another port of the bridge', ['EOPNOTSUPP', [toPort(port)]], undefined, ['self', 'master']],
  ])('one entry, %s', (_, answers, target, asked) => {
    const socket = new ScriptedSocket(...answers);
    expect(fdb.real.find?.({ socket: () => socket }, tunnel, mac)).toEqual(target);
    expect(socket.requests).toEqual(asked.map((of) => bytesOf([(to) => getFdb(to, tunnel, mac, of)])));
  });

  it('one entry: any other refusal is an error', () => {
    const socket = new ScriptedSocket('EPERM');
    expect(() => fdb.real.find?.({ socket: () => socket }, tunnel, mac)).toThrow(KernelError);
  });

  const set: FdbOp = { op: 'fdb.set', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') };
  const remove: FdbOp = { ...set, op: 'fdb.delete' };
  const vteps = [Ip('192.0.2.2'), Ip('192.0.2.3')];

  it.each<[string, FdbOp, readonly Encode[], unknown]>([
    ['set', set, [(to) => setFdb(to, tunnel, mac, Ip('192.0.2.2'))], Ip('192.0.2.2')],
    ['deleted', remove, [(to) => deleteFdb(to, tunnel, mac, Ip('192.0.2.2'))], 'absent'],
    ['set, of a port', { ...set, target: 'port' }, [(to) => setFdb(to, tunnel, mac, 'port')], 'port'],
    [
      'of several VTEPs, deleted one by one',
      { ...remove, target: vteps },
      vteps.map((vtep) => (to) => deleteFdb(to, tunnel, mac, vtep)),
      undefined,
    ],
    [
      'of a group: its notifications are changes, since a MAC can have several VTEPs',
      { ...set, mac: Mac('01:00:5e:00:00:01') },
      [(to) => setFdb(to, tunnel, Mac('01:00:5e:00:00:01'), Ip('192.0.2.2'))],
      undefined,
    ],
    ['without a VTEP, deleted', { ...remove, target: noVtep }, [(to) => deleteFdb(to, tunnel, mac, noVtep)], 'absent'],
  ])('%s', (_, op, messages, state) => {
    const { batch } = fdb.real;
    if (batch === undefined) throw new Error('FDB ops are applied in batches');
    const ops = batch.split(op);
    expect(bytesOf(ops.map((each) => (to) => batch.encode(to, tunnel, each)))).toEqual(bytesOf(messages));
    expect(batch.written(tunnel, op)).toEqual(state && { index: tunnel, key: mac, state });
  });
});

describe('the neighbours of a namespace', () => {
  const found = (index: number, state = k.NUD_PERMANENT): Encode =>
    entryMessage({ index, state, family: k.AF_INET }, (to) => {
      putBytes(to, k.NDA_DST, 10, 66, 0, 9);
      lladdr(mac)(to);
    });

  it('are the permanent ones, on links in scope', async () => {
    const all = await read(anyKind(neighbour), [found(tunnel), found(plain, k.NUD_STALE), found(9)]);
    expect(all.found).toEqual(new Map([['vxlan0', new Map([[Ip('10.66.0.9'), mac]])]]));
    expect(await read(anyKind(neighbour), [], [])).toEqual({ found: new Map(), requests: 0 });
  });

  it.each<[string, Answer, Mac | undefined]>([
    ['permanent', [found(tunnel)], mac],
    ['learned', [found(tunnel, k.NUD_STALE)], undefined],
    ['absent', 'ENOENT', undefined],
  ])('one of them: %s', (_, answer, expected) => {
    const socket = new ScriptedSocket(answer);
    expect(neighbour.real.find?.({ socket: () => socket }, tunnel, Ip('10.66.0.9'))).toBe(expected);
  });

  it('are set and deleted, each by one message', () => {
    const { batch } = neighbour.real;
    const ip = Ip('10.66.0.9');
    const set = { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac } as const;
    const remove = { op: 'neighbour.delete', netns, dev: 'vxlan0', ip } as const;
    expect([batch?.split(set), batch?.split(remove)]).toEqual([[set], [remove]]);
    expect(bytesOf([set, remove].map((op) => (to) => batch?.encode(to, tunnel, op)))).toEqual(
      bytesOf([(to) => setNeighbour(to, tunnel, ip, mac), (to) => deleteNeighbour(to, tunnel, ip)]),
    );
    expect([set, remove].map((op) => batch?.written(tunnel, op)?.state)).toEqual([mac, 'absent']);
  });
});

describe('the routes of a namespace', () => {
  const found = (metric: number, index = plain, type = k.RTM_NEWROUTE, table = k.RT_TABLE_MAIN): Encode =>
    routeMessage({ type, table, length: 16 }, (to) => {
      putBytes(to, k.RTA_DST, 10, 66, 0, 0);
      to.u32(k.RTA_OIF, index);
      to.u32(k.RTA_PRIORITY, metric);
      if (metric > 0) putBytes(to, k.RTA_GATEWAY, 10, 66, 0, metric);
    });
  const dst = Prefix('10.66.0.0/16');
  const wanted = (metric: number): Route => {
    const gateway = metric > 0 && Ip(`10.66.0.${metric}`);
    return { dst, dev: 'eth0', metric, ...(gateway && { gateway }) };
  };

  it.each<[string, readonly Encode[], readonly Route[]]>([
    ['by a gateway', [found(5)], [wanted(5)]],
    ['on link', [found(0)], [wanted(0)]],
    ['of two with one destination: the one that wins, whichever comes first', [found(5), found(3)], [wanted(3)]],
    ['of two with one destination: the one that wins, whichever comes last', [found(3), found(5)], [wanted(3)]],
    ['of two with one metric: the first', [found(5), found(5, tunnel)], [wanted(5)]],
    ['of a link outside the scope: none', [found(5, 9)], []],
  ])('%s', async (_, answers, expected) => {
    expect([...((await read(anyKind(route), answers)).found?.values() ?? [])]).toEqual(expected);
  });

  it('are not asked for where the agent has no link', async () => {
    expect(await read(anyKind(route), [found(5)], [])).toEqual({ found: new Map(), requests: 0 });
  });

  it.each<[string, Encode, { key: string; isAsDesired: boolean } | undefined]>([
    ['the desired route is there', found(5), { key: `route ${dst} 5`, isAsDesired: true }],
    ['the desired route is gone', found(5, plain, k.RTM_DELROUTE), { key: `route ${dst} 5`, isAsDesired: false }],
    ['a route of another metric is there', found(3), { key: `route ${dst} 3`, isAsDesired: false }],
    [
      'a route of another metric is gone',
      found(3, plain, k.RTM_DELROUTE),
      { key: `route ${dst} 3`, isAsDesired: true },
    ],
    ['a route on another link', found(5, tunnel), undefined],
    ['a route of another table', found(5, plain, k.RTM_NEWROUTE, 100), undefined],
  ])('whether they are as desired: %s', (_, message, verdict) => {
    const desired = { ...newNamespace(), routes: new Map([[dst, wanted(5)]]) };
    const nameOf = (index: number): string | undefined => records.get(index)?.name;
    expect(route.real.judge?.(received(message), desired, nameOf)).toEqual(verdict);
    expect(
      route.real.judge?.(received(message), desired, () => undefined),
      'of unknown links',
    ).toBeUndefined();
    expect(route.real.judge?.(received(message), newNamespace(), nameOf), 'where none is desired').toBeUndefined();
  });

  it('that differ from the desired one in their gateway are not as desired', () => {
    const desired = { ...newNamespace(), routes: new Map([[dst, { ...wanted(5), gateway: Ip('10.66.0.1') }]]) };
    expect(route.real.judge?.(received(found(5)), desired, () => 'eth0')?.isAsDesired).toBe(false);
  });

  it.each<[RouteOp['op'], typeof setRoute]>([
    ['route.set', setRoute],
    ['route.delete', deleteRoute],
  ])('%s sends one message', async (op, encode) => {
    const { dev: _, ...rest } = wanted(5);
    expect(await applied(route.real, { op, netns, route: wanted(5) })).toEqual([
      bytesOf([encode({ ...rest, index: plain })]),
    ]);
  });
});

describe('the addresses of a namespace', () => {
  const own = InterfaceAddress('10.66.0.9/16');
  const found = (index = plain, type = k.RTM_NEWADDR, scope = 0, last = 9): Encode =>
    addressMessage({ type, index, scope }, (to) => putBytes(to, k.IFA_LOCAL, 10, 66, 0, last));
  const byKernel = found(plain, k.RTM_NEWADDR, 254);

  it('are those of links in scope, which the kernel did not make by itself', async () => {
    const all = await read(anyKind(address), [found(), found(plain, k.RTM_NEWADDR, 0, 8), found(9), byKernel]);
    expect(all.found).toEqual(new Map([['eth0', new Set([own, InterfaceAddress('10.66.0.8/16')])]]));
    expect(await read(anyKind(address), [found()], [])).toEqual({ found: new Map(), requests: 0 });
  });

  it.each<[string, Encode, boolean | undefined]>([
    ['the desired address is there', found(), true],
    ['the desired address is gone', found(plain, k.RTM_DELADDR), false],
    ['another address', found(plain, k.RTM_NEWADDR, 0, 8), undefined],
    ['the address on another link', found(tunnel), undefined],
    ['an address that the kernel made', byKernel, undefined],
  ])('whether they are as desired: %s', (_, message, isAsDesired) => {
    const desired = { ...newNamespace(), addresses: new Map([['eth0', new Set([own])]]) };
    const nameOf = (index: number): string | undefined => records.get(index)?.name;
    const verdict = isAsDesired === undefined ? undefined : { key: `address eth0 ${own}`, isAsDesired };
    expect(address.real.judge?.(received(message), desired, nameOf)).toEqual(verdict);
    expect(
      address.real.judge?.(received(message), desired, () => undefined),
      'of unknown links',
    ).toBeUndefined();
  });

  it('are news when a read finds them', () => {
    const isNews = [found(), byKernel].map((message) => address.real.events?.get(k.RTM_NEWADDR)?.(received(message)));
    expect(isNews).toEqual([true, false]);
  });

  it.each([
    ['address.add', addAddress],
    ['address.delete', deleteAddress],
  ] as const)('%s sends one message', async (op, encode) => {
    const sent = await applied(address.real, { op, netns, dev: 'eth0', address: own });
    expect(sent).toEqual([bytesOf([encode(plain, own)])]);
  });
});

/** The messages that an op of a kind without batches sends. */
async function applied<KindOp extends Op>(real: Kind<string, never, never, KindOp>['real'], op: KindOp) {
  if (!('apply' in real)) throw new Error('ops of this kind are applied in batches or runs');
  const socket = new ScriptedSocket();
  const linkIndex = (_: NetnsPath, dev: string): number =>
    [...records.values()].find(({ name }) => name === dev)?.index ?? 0;
  await real.apply({ socket: () => socket, linkIndex } as unknown as Writing, op);
  return socket.requests;
}
