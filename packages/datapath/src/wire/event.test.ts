import { Ip, Mac } from '@causeway/model';
import type { Encode, MessageWriter } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import { entryMessage, linkMessage, putBytes, received } from '../testing/kernel-messages.ts';
import * as k from './constants.ts';
import { type Change, ChangeFilter } from './event.ts';

const macBytes = [0x02, 0x42, 0x0a, 0x42, 0x00, 0x09];
const mac = Mac('02:42:0a:42:00:09');
const [bridgeIndex, portIndex] = [2, 3];

interface LinkProperties {
  readonly name?: string;
  readonly mac?: readonly number[];
  readonly mtu?: number;
  readonly flags?: number;
  readonly kind?: string;
  readonly master?: number;
  readonly port?: readonly [learning: number, flood: number];
  readonly vxlan?: { readonly vni?: number; readonly port?: number; readonly local?: number; readonly proxy?: number };
  readonly crosses?: boolean;
}

function putLink(to: MessageWriter, { mac: address = macBytes, mtu = 1450, ...of }: LinkProperties): void {
  to.string(k.IFLA_IFNAME, of.name ?? 'v1');
  putBytes(to, k.IFLA_ADDRESS, ...address);
  to.u32(k.IFLA_MTU, mtu);
  if (of.master !== undefined) to.u32(k.IFLA_MASTER, of.master);
  if (of.crosses === true) to.u32(k.IFLA_LINK_NETNSID, 0);
  const { vxlan, port } = of;
  to.nest(k.IFLA_LINKINFO, () => {
    to.string(k.IFLA_INFO_KIND, of.kind ?? 'veth');
    if (vxlan !== undefined) {
      to.nest(k.IFLA_INFO_DATA, () => {
        to.u32(k.IFLA_VXLAN_ID, vxlan.vni ?? 9);
        to.u16be(k.IFLA_VXLAN_PORT, vxlan.port ?? 4789);
        putBytes(to, k.IFLA_VXLAN_LOCAL, 192, 0, 2, vxlan.local ?? 1);
        to.u8(k.IFLA_VXLAN_PROXY, vxlan.proxy ?? 1);
      });
    }
    if (port !== undefined) {
      to.string(k.IFLA_INFO_SLAVE_KIND, 'bridge');
      to.nest(k.IFLA_INFO_SLAVE_DATA, () => {
        to.u8(k.IFLA_BRPORT_LEARNING, port[0]);
        to.u8(k.IFLA_BRPORT_UNICAST_FLOOD, port[1]);
      });
    }
  });
}

/** A notification about a link. */
function link(of: LinkProperties = {}, index = portIndex, type = k.RTM_NEWLINK): Encode {
  return linkMessage({ type, index, flags: of.flags ?? k.IFF_UP }, (to) => putLink(to, of));
}

/** A notification of a bridge about its port: without a kind, with a master, with flags or without. */
function ofBridge(of: LinkProperties, type = k.RTM_NEWLINK): Encode {
  return linkMessage({ type, family: k.AF_BRIDGE, index: portIndex }, (to) => {
    to.string(k.IFLA_IFNAME, of.name ?? 'v1');
    if (of.master !== undefined) to.u32(k.IFLA_MASTER, of.master);
    const { port } = of;
    if (port === undefined) return;
    to.nest(k.IFLA_PROTINFO, () => {
      to.u8(k.IFLA_BRPORT_LEARNING, port[0]);
      to.u8(k.IFLA_BRPORT_UNICAST_FLOOD, port[1]);
    });
  });
}

/** What a filter says of the last of these notifications. */
function last(...messages: readonly Encode[]): Change | undefined {
  const filter = new ChangeFilter(new Map());
  return messages.map((message) => filter.changeOf(received(message))).at(-1);
}

const changed: Change = { kind: 'link', name: 'v1' };
const other: Change = { kind: 'other' };
const vxlan: LinkProperties = { kind: 'vxlan', vxlan: {} };
const port: LinkProperties = { master: bridgeIndex, port: [0, 1] };

describe('a notification about a link', () => {
  it.each<[string, LinkProperties, LinkProperties, Change | undefined]>([
    ['that is as before', {}, {}, undefined],
    ['that is a port as before', port, port, undefined],
    ['that is a tunnel as before', vxlan, vxlan, undefined],
    ['with another name: no read of the old name would show that', {}, { name: 'v2' }, other],
    ['with another MAC', {}, { mac: [2, 0, 0, 0, 0, 1] }, changed],
    ['with another MTU', {}, { mtu: 1400 }, changed],
    ['that is down', {}, { flags: 0 }, changed],
    ['that has its carrier', {}, { flags: k.IFF_UP | k.IFF_LOWER_UP }, changed],
    ['of another kind', {}, { kind: 'dummy' }, changed],
    ['with another master', { master: 2 }, { master: 4 }, changed],
    ['that learns', port, { ...port, port: [1, 1] }, changed],
    ['that does not flood', port, { ...port, port: [0, 0] }, changed],
    ['with another VNI', vxlan, { ...vxlan, vxlan: { vni: 8 } }, changed],
    ['with another UDP port', vxlan, { ...vxlan, vxlan: { port: 4790 } }, changed],
    ['with another source address', vxlan, { ...vxlan, vxlan: { local: 2 } }, changed],
    ['with a setting that no network has', vxlan, { ...vxlan, vxlan: { proxy: 0 } }, changed],
    ['whose other half has moved away', {}, { crosses: true }, changed],
    ['with a flag that is not read', {}, { flags: k.IFF_UP | 0x1000 }, undefined],
  ])('%s', (_, before, after, expected) => expect(last(link(before), link(after))).toEqual(expected));

  it('that is new, or gone, or there again names the link', () => {
    const gone = link({}, portIndex, k.RTM_DELLINK);
    expect(last(link())).toEqual(changed);
    expect(last(link(), gone)).toEqual(changed);
    expect(last(link(), gone, link())).toEqual(changed);
  });
});

describe("a bridge's notification about a port", () => {
  it.each<[string, LinkProperties, Encode, Change | undefined]>([
    ['that joins', {}, ofBridge(port), changed],
    ['that has joined before', port, ofBridge(port), undefined],
    ['that has joined before, without its flags', port, ofBridge({ master: bridgeIndex }), undefined],
    ['with other flags', port, ofBridge({ ...port, port: [1, 1] }), changed],
    ['without a master', port, ofBridge({ port: [0, 1] }), changed],
    ['that leaves', port, ofBridge(port, k.RTM_DELLINK), changed],
    ['that has left before', {}, ofBridge(port, k.RTM_DELLINK), undefined],
    ['that has another name', port, ofBridge({ ...port, name: 'v2' }), other],
  ])('%s', (_, before, message, expected) => expect(last(link(before), message)).toEqual(expected));

  it('that is not known names the port, and does not make it known', () => {
    expect(last(ofBridge(port))).toEqual(changed);
    expect(last(ofBridge(port), ofBridge(port))).toEqual(changed);
  });

  it('that leaves does not end the link', () => {
    expect(last(link(port), ofBridge(port, k.RTM_DELLINK), link())).toBeUndefined();
  });
});

describe('a notification about an entry', () => {
  const lladdr = (to: MessageWriter): void => putBytes(to, k.NDA_LLADDR, ...macBytes);
  const fdb = (of: Parameters<typeof entryMessage>[0] = {}): Encode =>
    entryMessage({ state: k.NUD_NOARP, ...of }, lladdr);
  const neighbour = (state: number, type = k.RTM_NEWNEIGH): Encode =>
    entryMessage({ type, family: k.AF_INET, state }, (to) => {
      putBytes(to, k.NDA_DST, 10, 66, 0, 9);
      lladdr(to);
    });
  const group = entryMessage({}, (to) => putBytes(to, k.NDA_LLADDR, 1, 0, 0x5e, 0, 0, 1));
  const ip = Ip('10.66.0.9');
  const ofFdb: Change = { kind: 'entry', slot: 'fdb', dev: 'v1', key: mac };
  const ofNeighbour: Change = { kind: 'entry', slot: 'neighbours', dev: 'v1', key: ip };

  it.each<[string, LinkProperties, Encode, Change | undefined]>([
    ['of a port', port, fdb(), ofFdb],
    ['for a group, of a port', port, group, { ...ofFdb, key: Mac('01:00:5e:00:00:01') } as Change],
    ['for a group, of a tunnel', vxlan, group, other],
    ['of a link that is not known', port, fdb({ index: 9 }), other],
    ['without a key', port, entryMessage({}), other],
    ['of a bridge, permanent', { kind: 'bridge' }, neighbour(k.NUD_PERMANENT), ofNeighbour],
    ['of a bridge, traffic', { kind: 'bridge' }, neighbour(k.NUD_STALE), undefined],
    ['of a tunnel, not permanent', vxlan, neighbour(k.NUD_STALE), ofNeighbour],
  ])('%s', (_, of, message, expected) => expect(last(link(of), message)).toEqual(expected));

  /** What a filter says of a notification after this process has written the entry. */
  const own = (
    state: Mac | Ip | 'port' | 'absent',
    message: Encode,
    key: Mac | Ip = mac,
    of = port,
  ): Change | undefined => {
    const filter = new ChangeFilter(new Map());
    filter.changeOf(received(link(of)));
    filter.own.add({ index: portIndex, key, state });
    return filter.changeOf(received(message));
  };

  it.each<[string, Change | undefined, Change | undefined]>([
    ['that is as this process has written the entry', own('port', fdb()), undefined],
    ['that is gone as this process has deleted the entry', own('absent', fdb({ type: k.RTM_DELNEIGH })), undefined],
    ['that is gone against the last write', own('port', fdb({ type: k.RTM_DELNEIGH })), ofFdb],
    ['that is there against the last delete', own('absent', fdb()), ofFdb],
    ["about the device's own address with the same key", own('port', fdb({ flags: k.NTF_SELF })), ofFdb],
    ['about a neighbour as written', own(mac, neighbour(k.NUD_PERMANENT), ip), undefined],
    ['about a neighbour with another MAC', own(Mac('02:00:00:00:00:01'), neighbour(k.NUD_PERMANENT), ip), ofNeighbour],
  ])('%s', (_, change, expected) => expect(change).toEqual(expected));

  it('is a change after the link has changed, although the entry is as written', () => {
    const filter = new ChangeFilter(new Map());
    filter.changeOf(received(link(port)));
    filter.own.add({ index: portIndex, key: mac, state: 'port' });
    filter.changeOf(received(link({ ...port, mtu: 1400 })));
    expect(filter.changeOf(received(fdb()))).toEqual(ofFdb);
  });

  it('is a change after all notifications of the write were shown', () => {
    const filter = new ChangeFilter(new Map());
    filter.changeOf(received(link(port)));
    filter.own.add({ index: portIndex, key: mac, state: 'port' });
    expect(filter.settle()).toEqual([]);
    expect(filter.changeOf(received(fdb()))).toEqual(ofFdb);
  });

  it("is no change when a bridge makes its own entry for this process's new port", () => {
    const filter = new ChangeFilter(new Map());
    filter.changeOf(received(link(port)));
    const self = fdb({ flags: k.NTF_SELF });
    expect(filter.changeOf(received(self))).toEqual(ofFdb);
    filter.ownLinks.wrote({ kind: 'made', link: { name: 'v1', mac, mtu: 1450, up: true } });
    expect(filter.changeOf(received(self))).toBeUndefined();
    filter.own.add({ index: portIndex, key: mac, state: 'port' });
    expect(filter.changeOf(received(self)), 'it takes the place of an entry that was written').toEqual(ofFdb);
  });
});

describe('a pair of links that this process has made', () => {
  const made = { name: 'v1', mac, mtu: 1450, up: true, bridgePort: { master: 'br0', learning: true, flood: true } };
  const asMade: LinkProperties = { master: bridgeIndex, port: [1, 1] };
  const world = (): { filter: ChangeFilter; of: (message: Encode) => Change | undefined } => {
    const filter = new ChangeFilter(new Map());
    const of = (message: Encode): Change | undefined => filter.changeOf(received(message));
    of(link({ name: 'br0', kind: 'bridge' }, bridgeIndex));
    filter.ownLinks.wrote({ kind: 'made', link: made });
    return { filter, of };
  };

  it('is no change on its way to what was written, and with its carrier', () => {
    const { filter, of } = world();
    expect([of(link({ flags: 0 })), of(link(asMade)), filter.settle()]).toEqual([undefined, undefined, []]);
    expect(of(link({ ...asMade, flags: k.IFF_UP | k.IFF_LOWER_UP }))).toBeUndefined();
    expect(of(link({ ...asMade, flags: k.IFF_UP })), 'its carrier is lost').toEqual(changed);
  });

  it('is named when all notifications were shown and it is not as written', () => {
    const { filter, of } = world();
    of(link({ ...asMade, mtu: 1400 }));
    expect(filter.settle()).toEqual(['v1']);
  });

  it('is a change when it is deleted', () => {
    const { of } = world();
    of(link(asMade));
    expect(of(link(asMade, portIndex, k.RTM_DELLINK))).toEqual(changed);
    expect(of(link(asMade)), 'and made anew by another process').toEqual(changed);
  });
});

describe('a notification about another object', () => {
  const message: Encode = (to) => {
    to.begin(k.RTM_NEWADDR);
    to.end();
  };
  it.each<[string, boolean | undefined, Change | undefined]>([
    ['that a read finds', true, other],
    ['that no read finds', false, undefined],
    ['of a type that no kind knows', undefined, other],
  ])('%s', (_, isFound, expected) => {
    const events = new Map<number, () => boolean>();
    if (isFound !== undefined) events.set(k.RTM_NEWADDR, () => isFound);
    expect(new ChangeFilter(events).changeOf(received(message))).toEqual(expected);
  });
});
