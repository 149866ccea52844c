import { hostEnd, hostNetns, type NetnsPath, type Op, overlayNetns, vxlanName } from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import { Ip, Mac, type NetworkId, type NodeId, type RequestId, Vni } from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { OverlayRecords } from '../disk/overlay-records.ts';
import type { Sandbox } from '../disk/sandbox.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { endpointRow, testNetwork } from '../testing/table.ts';
import { Overlays } from './overlays.ts';

const blue = overlayNetns(testNetwork.id);
const red = overlayNetns('ffffffffffffffff' as NetworkId);
const web = '/run/netns/web' as NetnsPath;
const row = endpointRow(0xa1_0000_0000);

let kernel: FakeKernel;
let records: OverlayRecords;
let containers: Sandbox[];
let overlays: Overlays;
let log: MemoryLog;

beforeEach(() => {
  kernel = new FakeKernel({ clock: new FakeClock() }, { underlay: Ip('192.0.2.1') });
  log = new MemoryLog();
  records = new OverlayRecords({ files: new MemoryFiles(), log });
  containers = [];
  overlays = new Overlays({ kernel, containers: () => containers, records, log });
});

async function sandbox(netns: NetnsPath): Promise<Sandbox> {
  return {
    endpoint: { ...row, network: testNetwork.id, node: 'h1' as NodeId },
    ...{ claimed: { epoch: 1n, revision: 1n }, requestId: '' as RequestId, netns, ifname: 'eth0' },
    ...{ identity: (await kernel.identify(netns)) ?? '', gateway: { priority: 0, slot: 0 } },
  };
}

/** Makes a pair of links from the overlay to a container. */
function port(netns: NetnsPath, name = hostEnd(row.id)): Op {
  const peer = { netns: web, name: 'eth0', mac: Mac('02:42:0a:42:00:09'), mtu: 1450 };
  const link = { kind: 'veth', name, mac: Mac('02:46:00:00:00:01'), mtu: 1450, up: true, peer } as const;
  return { op: 'link.add', netns, link };
}

describe('an overlay that the list of this data directory lacks', () => {
  const judged = async () => {
    await overlays.load();
    const identity = (await kernel.identify(blue)) ?? '';
    return { isRecorded: records.has(blue, identity), isForeign: await overlays.isForeign(blue) };
  };
  beforeEach(() => void kernel.foreign({ op: 'netns.add', netns: web }, { op: 'netns.add', netns: blue }));

  it('with a container of this agent is its own', async () => {
    kernel.foreign(port(blue));
    containers = [await sandbox(web)];
    expect(await judged()).toEqual({ isRecorded: true, isForeign: false });
  });

  it('with containers of which this agent knows none is that of another agent', async () => {
    kernel.foreign(port(blue));
    expect(await judged()).toEqual({ isRecorded: false, isForeign: true });
    expect(overlays.foreign).toEqual([blue]);
    expect(log.lines).toMatchObject([{ event: 'netns.foreign', fields: { netns: blue, containers: 1 } }]);
    await expect(overlays.found(blue)).rejects.toThrow('those of another agent of this host');
  });

  it('without containers serves no traffic, and belongs to no agent', async () => {
    expect(await judged()).toEqual({ isRecorded: false, isForeign: false });
    expect(log.lines).toEqual([]);
  });

  it('is not judged when it is in the list after all, whatever is in it', async () => {
    kernel.foreign(port(blue));
    records.add(blue, (await kernel.identify(blue)) ?? '');
    expect(await judged()).toEqual({ isRecorded: true, isForeign: false });
  });

  it('is not a namespace that only begins with the same letters', async () => {
    const mine = '/run/netns/cw-mine' as NetnsPath;
    kernel.foreign({ op: 'netns.add', netns: mine }, port(mine));
    await overlays.load();
    expect([overlays.foreign, log.lines]).toEqual([[], []]);
  });

  it('is judged anew when another namespace is at the path', async () => {
    kernel.foreign(port(blue));
    await overlays.load();
    kernel.foreign({ op: 'netns.delete', netns: blue }, { op: 'netns.add', netns: blue });
    expect([await overlays.isForeign(blue), overlays.foreign]).toEqual([false, []]);
  });
});

describe('an overlay at its path', () => {
  it('is known by its identity from the moment it is made or found, until it is removed', async () => {
    kernel.foreign({ op: 'netns.add', netns: blue });
    const identity = (await kernel.identify(blue)) ?? '';
    expect([overlays.at(identity), await overlays.isRecorded(blue)]).toEqual([undefined, false]);
    expect(await overlays.found(blue)).toBe(identity);
    expect([overlays.at(identity), await overlays.isRecorded(blue)]).toEqual([blue, false]);
    await overlays.adopt(blue);
    expect(await overlays.isRecorded(blue)).toBe(true);
    overlays.removed(blue);
    expect([overlays.at(identity), await overlays.isRecorded(blue)]).toEqual([undefined, false]);
    await overlays.made(blue);
    expect([overlays.at(identity), await overlays.isRecorded(blue)]).toEqual([blue, true]);
  });

  it('that is absent is not known, and not recorded', async () => {
    expect([await overlays.found(blue), await overlays.isRecorded(blue)]).toEqual([undefined, false]);
    await overlays.made(blue);
    await overlays.adopt(blue);
    expect(await overlays.isRecorded(blue)).toBe(false);
  });

  it('is found again and again, also after another overlay was found', async () => {
    kernel.foreign({ op: 'netns.add', netns: blue }, { op: 'netns.add', netns: red });
    for (const path of [blue, red, blue, red]) expect(await overlays.found(path)).toBe(await kernel.identify(path));
  });

  it('is another one after it was made anew', async () => {
    kernel.foreign({ op: 'netns.add', netns: blue });
    const former = (await overlays.found(blue)) ?? '';
    kernel.foreign({ op: 'netns.delete', netns: blue }, { op: 'netns.add', netns: blue });
    const present = (await overlays.found(blue)) ?? '';
    expect([former === present, overlays.at(former), overlays.at(present)]).toEqual([false, undefined, blue]);
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      "the host's own namespace",
      async () => void kernel.foreignBind(blue, hostNetns),
      "the host's own network namespace",
    ],
    [
      'another overlay',
      async () => {
        kernel.foreign({ op: 'netns.add', netns: red });
        await overlays.found(red);
        kernel.foreignBind(blue, red);
      },
      `the overlay namespace ${red}`,
    ],
    [
      'a container',
      async () => {
        kernel.foreign({ op: 'netns.add', netns: web });
        containers = [await sandbox(web)];
        kernel.foreignBind(blue, web);
      },
      `the container of endpoint ${row.name} (${web})`,
    ],
  ])('is not touched when the path leads to %s', async (_, bind, owner) => {
    await bind();
    await expect(overlays.found(blue)).rejects.toThrow(`${blue} leads to ${owner}: unmount it`);
  });

  it.each([
    ['that holds the tunnel of a network is an overlay', true],
    ['without a tunnel is a container', false],
  ])('a namespace that a record calls a container and %s', async (_, hasTunnel) => {
    kernel.foreign({ op: 'netns.add', netns: web });
    const tunnel = { kind: 'vxlan', name: vxlanName, mac: Mac('02:44:00:00:00:01'), mtu: 1450, up: true } as const;
    const link = { ...tunnel, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') };
    if (hasTunnel) kernel.foreign({ op: 'link.add', netns: web, link });
    containers = [await sandbox(web)];
    kernel.foreignBind(blue, web);
    if (hasTunnel) expect(await overlays.found(blue)).toBe(await kernel.identify(web));
    else await expect(overlays.found(blue)).rejects.toThrow('leads to the container');
  });
});
