import { hostEnd, type NetnsPath, newNamespace, type Op, overlayNetns } from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import {
  type EndpointId,
  Ip,
  type NetworkId,
  type NodeId,
  type RequestId,
  type UnknownDriver,
  type UnknownNetwork,
} from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { NewAddresses } from '../announce/announcements.ts';
import { OverlayRecords } from '../disk/overlay-records.ts';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Table } from '../tables/table.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { endpointRow, tableOf, testNetwork } from '../testing/table.ts';
import { HostStats } from './host-stats.ts';
import { type NetworkIntent, NetworkScope } from './network-scope.ts';
import { Overlays } from './overlays.ts';
import type { ProtectionState } from './protection.ts';
import type { Phase } from './scope-reconciler.ts';

const overlay = overlayNetns(testNetwork.id);
const web = '/run/netns/web' as NetnsPath;
const [own, peer] = [endpointRow(0xa1_0000_0000), endpointRow(0xb2_0000_0000, 'h2', '192.0.2.2')];
const host = { node: 'h1' as NodeId, vtep: Ip('192.0.2.1'), vxlanPort: 4789 };

let kernel: FakeKernel;
let stats: HostStats;
let intent: NetworkIntent;
let isConfirmed: boolean;
let protection: ProtectionState;
let released: NetworkId[];
let lost: EndpointId[];
let announced: NewAddresses[];
let scope: NetworkScope;
let sandbox: Sandbox;

beforeEach(async () => {
  const clock = new FakeClock();
  kernel = new FakeKernel({ clock }, { underlay: host.vtep });
  kernel.foreign({ op: 'netns.add', netns: web }, { op: 'netns.add', netns: overlay });
  sandbox = {
    endpoint: { ...own, network: testNetwork.id, node: host.node },
    ...{ claimed: { epoch: 1n, revision: 5n }, requestId: '' as RequestId, netns: web, ifname: 'eth0' },
    ...{ identity: (await kernel.identify(web)) ?? '', gateway: { priority: 0, slot: 0 } },
  };
  stats = new HostStats();
  isConfirmed = true;
  protection = 'ready';
  released = [];
  lost = [];
  announced = [];
  intent = { table: tableOf([own]), sandboxes: [sandbox] };
  const log = new MemoryLog();
  const records = new OverlayRecords({ files: new MemoryFiles(), log });
  const overlays = new Overlays({ kernel, containers: () => intent.sandboxes, records, log });
  const modules = { kernel, clock, stats, overlays, intent: () => intent, inContainer: () => intent.sandboxes };
  scope = new NetworkScope(
    {
      ...modules,
      confirmed: () => isConfirmed,
      protection: {
        get state() {
          return protection;
        },
        released: (id) => released.push(id),
      },
      onLost: (id) => lost.push(id),
      announce: (found) => announced.push(found),
      onRemoved: () => undefined,
    },
    { host, networkId: testNetwork.id },
  );
});

describe('what a pass does', () => {
  const { vni: _, ...common } = testNetwork;
  const later: UnknownNetwork = { ...common, driver: 'macvlan' as UnknownDriver, sentVni: 0 };
  const refused = (): Sandbox => ({ ...sandbox, refused: 'another endpoint has it' });

  it.each<[string, () => Partial<NetworkIntent>, boolean, string]>([
    ['a network that no manager has sent, with a container, is waited for', () => ({ table: undefined }), true, 'wait'],
    ['without a container it is removed', () => ({ table: undefined, sandboxes: [] }), true, 'remove'],
    [
      'a container that was refused keeps nothing',
      () => ({ table: undefined, sandboxes: [refused()] }),
      true,
      'remove',
    ],
    ['and before the tables are known, it is left alone', () => ({ table: undefined, sandboxes: [] }), false, 'wait'],
    ['a network with a container is followed, confirmed or not', () => ({}), false, 'follow'],
    ['a network without a container is followed when it is confirmed', () => ({ sandboxes: [] }), true, 'follow'],
    ['before that, it is waited for', () => ({ sandboxes: [] }), false, 'wait'],
    [
      'a network of a later driver is left as it is',
      () => ({ table: tableOf([], { network: later }) }),
      true,
      'refuse',
    ],
  ])('%s', (_title, over, confirmed, goal) => {
    intent = { ...intent, ...over() };
    isConfirmed = confirmed;
    expect(scope.goal().kind).toBe(goal);
  });
});

describe('an encrypted network', () => {
  beforeEach(() => {
    intent = { ...intent, table: tableOf([own], { network: { ...testNetwork, driver: 'encrypted-overlay' } }) };
  });

  it.each<[ProtectionState, string]>([
    ['pending', 'wait'],
    ['ready', 'follow'],
    [{ why: 'its kernel has no ESP' }, 'refuse'],
  ])('while the protection of the host is %j', (state, goal) => {
    protection = state;
    expect(scope.goal().kind).toBe(goal);
  });

  it('needs the protection until nothing of it is left', async () => {
    await scope.remove();
    expect(released).toEqual([]);
    scope.removed();
    expect(released).toEqual([testNetwork.id]);
  });
});

describe('the revision that is reported as applied', () => {
  const reported = (): bigint | undefined => stats.applied.get(testNetwork.id)?.revision;
  const up = (netns: NetnsPath, name: string): Op => ({ op: 'link.set', netns, name, change: { up: true } });

  it.each<[string, Op | undefined, bigint | undefined]>([
    ['is that of the table when the kernel has taken everything', undefined, 5n],
    ['is that of the table when only a container lacks something', up(web, 'eth0'), 5n],
    ['stays when the kernel has refused what all need', up(overlay, 'br0'), undefined],
  ])('%s', async (_, op, revision) => {
    await scope.locate();
    await scope.advance();
    scope.followed(op === undefined ? [] : [{ op, errno: 'EBUSY', message: '' }]);
    expect(reported()).toBe(revision);
  });

  it.each<[string, () => Partial<Sandbox>, Table, boolean]>([
    ['that the table has', () => ({}), tableOf([own]), false],
    ['claimed at the revision of a table without it', () => ({}), tableOf([]), true],
    ['claimed before it', () => ({ claimed: { epoch: 1n, revision: 4n } }), tableOf([]), true],
    ['claimed after it', () => ({ claimed: { epoch: 1n, revision: 6n } }), tableOf([]), false],
    ['claimed in an earlier epoch', () => ({ claimed: { epoch: 0n, revision: 9n } }), tableOf([]), true],
    ['claimed in a later epoch', () => ({ claimed: { epoch: 2n, revision: 1n } }), tableOf([]), false],
    ['that was refused', () => ({ refused: 'another has it' }), tableOf([]), false],
  ])('waits for a container with an endpoint %s', async (_, over, table, isHeld) => {
    intent = { table, sandboxes: [{ ...sandbox, ...over() }] };
    await scope.locate();
    await scope.advance();
    scope.followed([]);
    expect(reported()).toBe(isHeld ? undefined : 5n);
  });
});

describe('the intent', () => {
  it('that a pass began with is not confirmed by what is learnt during the pass', async () => {
    isConfirmed = false;
    await scope.locate();
    const advancing = scope.advance();
    isConfirmed = true;
    await advancing;
    expect(scope.isConfirmed).toBe(false);
    scope.everythingChanged();
    await scope.advance();
    expect(scope.isConfirmed).toBe(true);
  });

  const withPeer = (): void => {
    intent = { ...intent, table: tableOf([own, peer], { revision: 6n }) };
    scope.endpointsChanged(new Map([[peer.id, { row: undefined, sandbox: undefined }]]));
  };

  it('is new at first, then nothing, then what has changed', async () => {
    await scope.locate();
    scope.endpointsChanged(new Map([[own.id, { row: undefined, sandbox: undefined }]]));
    expect(await scope.advance()).toBe('everything');
    expect(await scope.advance()).toBe('nothing');
    withPeer();
    expect(await scope.advance()).toMatchObject({ kind: 'changed' });
    scope.everythingChanged();
    withPeer();
    expect(await scope.advance()).toBe('everything');
    expect(await scope.advance()).toBe('nothing');
  });

  it('is new again after everything was removed', async () => {
    await scope.locate();
    await scope.advance();
    await scope.remove();
    withPeer();
    expect(await scope.advance()).toBe('everything');
  });

  it('moves with a container that is now found at another of its paths', async () => {
    const elsewhere = kernel.foreignBind('/run/netns/same' as NetnsPath, web);
    await scope.locate();
    await scope.advance();
    expect([...scope.desired.keys()]).toEqual([overlay, web]);
    intent = { ...intent, sandboxes: [{ ...sandbox, netns: elsewhere }] };
    await scope.locate();
    expect(await scope.advance()).toBe('nothing');
    expect([...scope.desired.keys()]).toEqual([overlay, elsewhere]);
  });

  it('is compared where the kernel has changed, and only that is read', async () => {
    const read = vi.spyOn(kernel, 'read');
    const desired = new Map([[overlay, newNamespace()]]);
    const part = { links: ['br0'], sysctls: [] };
    await scope.read({ kind: 'dirty', desired, scopes: new Map([[overlay, part]]) });
    await scope.read({ kind: 'everything', desired });
    expect(read.mock.calls.map(([, what]) => what.links)).toEqual([['br0'], undefined]);
  });

  it('that is dropped during a pass changes nothing', async () => {
    intent = { ...intent, table: undefined };
    expect(await scope.advance()).toBe('nothing');
  });

  it('brings new addresses, which are announced once, when the kernel has them; the first ones are not new', async () => {
    await scope.locate();
    await scope.advance();
    scope.followed([]);
    expect(announced).toEqual([]);
    withPeer();
    await scope.advance();
    scope.followed([]);
    scope.followed([]);
    expect(announced).toMatchObject([{ addresses: [{ mac: peer.mac, isOwn: false }], own: [own.mac] }]);
  });
});

it('an address that is gone again before the kernel has it is not announced', async () => {
  await scope.locate();
  await scope.advance();
  scope.followed([]);
  intent = { ...intent, table: tableOf([own, peer], { revision: 6n }) };
  scope.endpointsChanged(new Map([[peer.id, { row: undefined, sandbox: undefined }]]));
  await scope.advance();
  intent = { ...intent, table: tableOf([own], { revision: 7n }) };
  scope.endpointsChanged(new Map([[peer.id, { row: peer, sandbox: undefined }]]));
  await scope.advance();
  scope.followed([]);
  expect(announced.flatMap(({ addresses }) => addresses)).toEqual([]);
});

describe('a container', () => {
  const withPort = (): ReturnType<typeof newNamespace> => {
    const namespace = newNamespace();
    const link = { kind: 'bridge', name: hostEnd(own.id), mac: own.mac, mtu: 1450, up: true } as const;
    namespace.links.set(link.name, link);
    return namespace;
  };

  it.each<[string, boolean, () => ReturnType<typeof newNamespace> | undefined, boolean]>([
    ['that is there', false, newNamespace, false],
    ['whose namespace is gone, and its pair of links too', true, newNamespace, true],
    ['whose namespace is gone, while its pair of links is still there', true, withPort, false],
    ['whose namespace is gone, with the whole overlay', true, () => undefined, true],
  ])('%s is lost, or not', async (_, isGone, found, isLost) => {
    if (isGone) kernel.foreign({ op: 'netns.delete', netns: web });
    await scope.locate();
    await scope.advance();
    const namespace = found();
    scope.found(new Map(namespace === undefined ? [] : [[overlay, namespace]]));
    expect(lost).toEqual(isLost ? [own.id] : []);
  });

  const op: Op = { op: 'link.set', netns: web, name: 'eth0', change: { up: true } };
  const shared: Op = { op: 'link.set', netns: overlay, name: 'br0', change: { up: true } };
  const failing = (refused: readonly Op[], why?: string): Phase => ({
    kind: 'failing',
    refused: refused.map((each) => ({ op: each, errno: 'EBUSY', message: '' })),
    ...(why !== undefined && { why }),
  });

  it.each<[string, Phase, EndpointId, number]>([
    ['nothing when the kernel is as desired', { kind: 'exact' }, own.id, 0],
    ['nothing that is known before the first pass', { kind: 'unknown' }, own.id, 0],
    ['what makes the whole network fail', failing([op], 'not readable'), peer.id, 1],
    ['what the kernel refuses in it', failing([op]), own.id, 1],
    ['what the kernel refuses and all need', failing([shared]), own.id, 1],
    ['both', failing([shared, op]), own.id, 2],
    ['not what is refused in another container', failing([op]), peer.id, 0],
  ])('does not work because of: %s', async (_, phase, id, count) => {
    await scope.locate();
    expect(scope.obstacles(id, phase)).toHaveLength(count);
  });

  it('does not work when its namespace is gone, whatever the kernel has', async () => {
    kernel.foreign({ op: 'netns.delete', netns: web });
    await scope.locate();
    expect(scope.obstacles(own.id, { kind: 'exact' })).toEqual(["the container's namespace is gone"]);
    expect(scope.obstacles(peer.id, { kind: 'exact' })).toEqual([]);
  });
});
