import { DecodeError, type Encode, type MessageReader, type MessageWriter } from '@causeway/netlink';
import { describe, expect, it } from 'vitest';
import {
  addressMessage,
  entryMessage,
  linkMessage,
  putBytes,
  received,
  routeMessage,
} from '../testing/kernel-messages.ts';
import * as k from './constants.ts';
import * as wire from './index.ts';

/** What a decoder returns for messages as the kernel sends them, which have more than our own messages. */

const macBytes = [0x02, 0x42, 0x0a, 0x42, 0x00, 0x09];
const mac = '02:42:0a:42:00:09';
const unknownAttribute = 200;
const broadcast = 2; // IFLA_BROADCAST

describe('a link', () => {
  const plain = {
    index: 3,
    up: false,
    carrier: false,
    name: '',
    mtu: 0,
    group: 0,
    kind: '',
    crossesNamespaces: false,
  };
  const info =
    (kind: string, data?: (to: MessageWriter) => void): Encode =>
    (to) =>
      to.nest(k.IFLA_LINKINFO, () => {
        to.string(k.IFLA_INFO_KIND, kind);
        if (data !== undefined) to.nest(k.IFLA_INFO_DATA, () => data(to));
      });
  const slave =
    (kind: string, learning: number, flood: number): Encode =>
    (to) =>
      to.nest(k.IFLA_LINKINFO, () => {
        to.string(k.IFLA_INFO_SLAVE_KIND, kind);
        to.nest(k.IFLA_INFO_SLAVE_DATA, () => {
          to.u8(k.IFLA_BRPORT_LEARNING, learning);
          to.u8(k.IFLA_BRPORT_UNICAST_FLOOD, flood);
        });
      });

  it.each<[string, Encode, object]>([
    ['without attributes', linkMessage({}), {}],
    ['that is up', linkMessage({ flags: k.IFF_UP }), { up: true }],
    ['that has its carrier and is down', linkMessage({ flags: k.IFF_LOWER_UP }), { carrier: true }],
    ['with a flag that does not matter', linkMessage({ flags: 0x1002 }), {}],
    ['with a name', linkMessage({}, (to) => to.string(k.IFLA_IFNAME, 'eth0')), { name: 'eth0' }],
    ['with an MTU', linkMessage({}, (to) => to.u32(k.IFLA_MTU, 1450)), { mtu: 1450 }],
    ['with a master', linkMessage({}, (to) => to.u32(k.IFLA_MASTER, 2)), { master: 2 }],
    ['of a group', linkMessage({}, (to) => to.u32(k.IFLA_GROUP, 7)), { group: 7 }],
    ['with a MAC', linkMessage({}, (to) => putBytes(to, k.IFLA_ADDRESS, ...macBytes)), { mac }],
    ['with its broadcast address', linkMessage({}, (to) => putBytes(to, broadcast, ...Array(6).fill(255))), {}],
    ['with an address of another length', linkMessage({}, (to) => putBytes(to, k.IFLA_ADDRESS, 192, 0, 2, 1)), {}],
    [
      'whose other half is elsewhere',
      linkMessage({}, (to) => to.u32(k.IFLA_LINK_NETNSID, 0)),
      { crossesNamespaces: true },
    ],
    ['with an attribute that is not known', linkMessage({}, (to) => to.u32(unknownAttribute, 7)), {}],
    [
      'of a kind',
      linkMessage(
        {},
        info('bridge', (to) => to.u32(1, 0)),
      ),
      { kind: 'bridge' },
    ],
    ['of a kind without data', linkMessage({}, info('vxlan')), { kind: 'vxlan' }],
    [
      'that is a port, in a message of the bridge',
      linkMessage({ family: k.AF_BRIDGE }, (to) =>
        to.nest(k.IFLA_PROTINFO, () => {
          to.u8(unknownAttribute, 1);
          to.u8(k.IFLA_BRPORT_LEARNING, 1);
          to.u8(k.IFLA_BRPORT_UNICAST_FLOOD, 0);
          to.u8(unknownAttribute, 1);
        }),
      ),
      { port: { learning: true, flood: false } },
    ],
    ['that is a port', linkMessage({}, slave('bridge', 0, 1)), { port: { learning: false, flood: true } }],
    ['that is a port of another kind of device', linkMessage({}, slave('bond', 0, 1)), {}],
    [
      'with a port kind and data that is not read',
      linkMessage({}, (to) =>
        to.nest(k.IFLA_LINKINFO, () => {
          to.string(k.IFLA_INFO_SLAVE_KIND, 'bridge');
          to.nest(unknownAttribute, () => to.u8(k.IFLA_BRPORT_LEARNING, 1));
        }),
      ),
      {},
    ],
    [
      'with a port kind and no port data',
      linkMessage({}, (to) => to.nest(k.IFLA_LINKINFO, () => to.string(k.IFLA_INFO_SLAVE_KIND, 'bridge'))),
      {},
    ],
    [
      'with data of a kind that is not read',
      linkMessage(
        {},
        info('geneve', (to) => to.u32(k.IFLA_VXLAN_ID, 9)),
      ),
      { kind: 'geneve' },
    ],
  ])('%s', (_, message, expected) => {
    expect(wire.readLink(received(message))).toEqual({ ...plain, ...expected });
  });

  const asWeMakeIt = (to: MessageWriter): void => {
    to.u32(k.IFLA_VXLAN_ID, 4096);
    putBytes(to, k.IFLA_VXLAN_LOCAL, 192, 0, 2, 1);
    to.u8(k.IFLA_VXLAN_LEARNING, 0);
    to.u8(k.IFLA_VXLAN_PROXY, 1);
    to.u8(k.IFLA_VXLAN_L2MISS, 0);
    to.u8(k.IFLA_VXLAN_L3MISS, 0);
    to.u8(k.IFLA_VXLAN_COLLECT_METADATA, 0);
    to.u16be(k.IFLA_VXLAN_PORT, 4789);
  };
  const tunnel = { vni: 4096, port: 4789, local: '192.0.2.1', plain: true };

  it.each<[string, (to: MessageWriter) => void, object]>([
    ['as we make them', () => undefined, tunnel],
    ['and more that we do not read', (to) => to.u32(unknownAttribute, 1), tunnel],
    [
      'an IPv6 address',
      (to) => putBytes(to, k.IFLA_VXLAN_LOCAL6, ...[0x20, 1], ...Array(13).fill(0), 1),
      { ...tunnel, local: '2001::1' },
    ],
    [
      'one source port',
      (to) => putBytes(to, k.IFLA_VXLAN_PORT_RANGE, 18, 185, 18, 186),
      { ...tunnel, sourcePort: 4793 },
    ],
    ['no source ports', (to) => putBytes(to, k.IFLA_VXLAN_PORT_RANGE, 0, 0, 0, 0), tunnel],
    ['many source ports', (to) => putBytes(to, k.IFLA_VXLAN_PORT_RANGE, 18, 185, 18, 187), { ...tunnel, plain: false }],
    ['learning', (to) => to.u8(k.IFLA_VXLAN_LEARNING, 1), { ...tunnel, plain: false }],
    ['no proxy', (to) => to.u8(k.IFLA_VXLAN_PROXY, 0), { ...tunnel, plain: false }],
    ['events for a missing MAC', (to) => to.u8(k.IFLA_VXLAN_L2MISS, 1), { ...tunnel, plain: false }],
    ['events for a missing address', (to) => to.u8(k.IFLA_VXLAN_L3MISS, 1), { ...tunnel, plain: false }],
    ['any VNI', (to) => to.u8(k.IFLA_VXLAN_COLLECT_METADATA, 1), { ...tunnel, plain: false }],
    ['a default destination', (to) => putBytes(to, k.IFLA_VXLAN_GROUP, 192, 0, 2, 9), { ...tunnel, plain: false }],
    [
      'a default destination of IPv6',
      (to) => putBytes(to, k.IFLA_VXLAN_GROUP6, ...Array(16).fill(1)),
      { ...tunnel, plain: false },
    ],
    ['a lower device', (to) => to.u32(k.IFLA_VXLAN_LINK, 2), { ...tunnel, plain: false }],
    ['no VNI', (to) => to.u32(k.IFLA_VXLAN_ID, 0), { ...tunnel, vni: 0, plain: false }],
    [
      'a first wrong setting, then a right one',
      (to) => {
        to.u8(k.IFLA_VXLAN_PROXY, 0);
        to.u8(k.IFLA_VXLAN_PROXY, 1);
      },
      { ...tunnel, plain: false },
    ],
  ])('a tunnel with settings: %s', (_, more, vxlan) => {
    const message = linkMessage(
      {},
      info('vxlan', (to) => {
        asWeMakeIt(to);
        more(to);
      }),
    );
    expect(wire.readLink(received(message))).toEqual({ ...plain, kind: 'vxlan', vxlan });
  });

  it('a tunnel without settings is not ours, and has no address', () => {
    const message = linkMessage(
      {},
      info('vxlan', () => undefined),
    );
    expect(wire.readLink(received(message)).vxlan).toEqual({ vni: 0, port: 0, plain: false });
  });
});

describe('an address', () => {
  const own = [10, 66, 0, 9];
  const other = [10, 66, 0, 1];
  it.each<[string, Encode, object | undefined]>([
    [
      'of a container',
      addressMessage({}, (to) => putBytes(to, k.IFA_ADDRESS, ...own)),
      { index: 3, address: '10.66.0.9/16' },
    ],
    [
      'with that of the other end of a line: our own counts',
      addressMessage({ length: 32 }, (to) => {
        putBytes(to, k.IFA_LOCAL, ...own);
        putBytes(to, k.IFA_ADDRESS, ...other);
      }),
      { index: 3, address: '10.66.0.9/32' },
    ],
    [
      'with more that we do not read',
      addressMessage({}, (to) => {
        putBytes(to, k.IFA_LOCAL, ...own);
        to.u32(unknownAttribute, 1);
      }),
      { index: 3, address: '10.66.0.9/16' },
    ],
    ['without its bytes', addressMessage({}, (to) => to.u32(unknownAttribute, 1)), undefined],
  ])('%s', (_, message, expected) => expect(wire.readAddress(received(message))).toEqual(expected));
});

describe('a route', () => {
  const out = (to: MessageWriter): void => to.u32(k.RTA_OIF, 4);
  it.each<[string, Encode, object | undefined]>([
    ['default, IPv4', routeMessage({}, out), { dst: '0.0.0.0/0', index: 4, metric: 0 }],
    ['default, IPv6', routeMessage({ family: k.AF_INET6 }, out), { dst: '::/0', index: 4, metric: 0 }],
    [
      'by a gateway, with a metric',
      routeMessage({ length: 16 }, (to) => {
        putBytes(to, k.RTA_DST, 10, 66, 0, 0);
        putBytes(to, k.RTA_GATEWAY, 10, 66, 0, 1);
        out(to);
        to.u32(k.RTA_PRIORITY, 5);
        to.u32(unknownAttribute, 9);
      }),
      { dst: '10.66.0.0/16', gateway: '10.66.0.1', index: 4, metric: 5 },
    ],
    ['of another table', routeMessage({ table: 100 }, out), undefined],
    [
      'of the main table, as an attribute says',
      routeMessage({ table: 252 }, (to) => {
        out(to);
        to.u32(k.RTA_TABLE, k.RT_TABLE_MAIN);
      }),
      { dst: '0.0.0.0/0', index: 4, metric: 0 },
    ],
    [
      'of a table with a large number',
      routeMessage({}, (to) => {
        out(to);
        to.u32(k.RTA_TABLE, 1000);
      }),
      undefined,
    ],
    ['with several next hops: it names no link', routeMessage({}), undefined],
    ['of an unknown family', routeMessage({ family: 99 }, out), undefined],
  ])('%s', (_, message, expected) => expect(wire.readRoute(received(message))).toEqual(expected));

  it('is of the main table by its header', () => {
    expect([k.RT_TABLE_MAIN, 100].map((table) => wire.isOfMainTable(received(routeMessage({ table }))))).toEqual([
      true,
      false,
    ]);
  });
});

describe('the number of a namespace', () => {
  const numbered =
    (nsid?: number): Encode =>
    (to) => {
      to.begin(k.RTM_NEWNSID);
      to.struct(4);
      to.u32(unknownAttribute, 5);
      if (nsid !== undefined) to.u32(k.NETNSA_NSID, nsid >>> 0);
      to.end();
    };
  it.each<[string, number | undefined, number | undefined]>([
    ['the first', 0, 0],
    ['another', 7, 7],
    ['none: the kernel says -1', -1, undefined],
    ['none: the answer has no number', undefined, undefined],
  ])('%s', (_, nsid, expected) => expect(wire.readNsid(received(numbered(nsid)))).toBe(expected));
});

describe('a neighbour', () => {
  const whole = (to: MessageWriter): void => {
    putBytes(to, k.NDA_DST, 10, 66, 0, 9);
    putBytes(to, k.NDA_LLADDR, ...macBytes);
  };
  const neighbour = { index: 3, ip: '10.66.0.9', mac };
  it.each<[string, Encode, object | undefined]>([
    ['that is permanent', entryMessage({ family: k.AF_INET }, whole), neighbour],
    [
      'that is permanent, of IPv6',
      entryMessage({ family: k.AF_INET6 }, (to) => {
        putBytes(to, k.NDA_DST, ...[0xfd, 0x66], ...Array(13).fill(0), 9);
        putBytes(to, k.NDA_LLADDR, ...macBytes);
      }),
      { ...neighbour, ip: 'fd66::9' },
    ],
    [
      'with more that we do not read',
      entryMessage({ family: k.AF_INET }, (to) => {
        whole(to);
        putBytes(to, unknownAttribute, ...macBytes.map(() => 1));
      }),
      neighbour,
    ],
    ['that the kernel learned', entryMessage({ family: k.AF_INET, state: k.NUD_STALE }, whole), undefined],
    ['of an unknown family', entryMessage({ family: 99 }, whole), undefined],
    ['without a MAC', entryMessage({ family: k.AF_INET }, (to) => putBytes(to, k.NDA_DST, 10, 66, 0, 9)), undefined],
    [
      'without an address',
      entryMessage({ family: k.AF_INET }, (to) => putBytes(to, k.NDA_LLADDR, ...macBytes)),
      undefined,
    ],
    [
      'with a link address that is no MAC',
      entryMessage({ family: k.AF_INET }, (to) => {
        putBytes(to, k.NDA_DST, 10, 66, 0, 9);
        putBytes(to, k.NDA_LLADDR, 10, 66, 0, 1);
      }),
      undefined,
    ],
  ])('%s', (_, message, expected) => expect(wire.readNeighbour(received(message))).toEqual(expected));
});

describe('an FDB entry', () => {
  const lladdr = (to: MessageWriter): void => putBytes(to, k.NDA_LLADDR, ...macBytes);
  const dst = (to: MessageWriter): void => putBytes(to, k.NDA_DST, 192, 0, 2, 2);
  const and =
    (...puts: readonly ((to: MessageWriter) => void)[]): Encode =>
    (to) => {
      for (const put of puts) put(to);
    };
  const self = { flags: k.NTF_SELF };
  const port = { state: k.NUD_NOARP };
  it.each<[string, boolean, Encode, string | undefined]>([
    ['of a tunnel', true, entryMessage(self, and(lladdr, dst)), '192.0.2.2'],
    ['of a tunnel, in any state', true, entryMessage({ ...self, state: k.NUD_STALE }, and(lladdr, dst)), '192.0.2.2'],
    ['of a tunnel, without a VTEP', true, entryMessage(self, lladdr), wire.noVtep],
    [
      'of a tunnel, to a port of its own',
      true,
      entryMessage(
        self,
        and(lladdr, dst, (to) => to.u16be(k.NDA_PORT, 1)),
      ),
      wire.noVtep,
    ],
    [
      'of a tunnel, to a VNI of its own',
      true,
      entryMessage(
        self,
        and(lladdr, dst, (to) => to.u32(k.NDA_VNI, 1)),
      ),
      wire.noVtep,
    ],
    [
      'of a tunnel, to an interface of its own',
      true,
      entryMessage(
        self,
        and(lladdr, dst, (to) => to.u32(k.NDA_IFINDEX, 1)),
      ),
      wire.noVtep,
    ],
    ["of a tunnel, its bridge's copy", true, entryMessage(port, lladdr), undefined],
    ['of a tunnel, without a MAC', true, entryMessage(self, dst), undefined],
    ['of a port', false, entryMessage(port, lladdr), 'port'],
    ['of a port, with a target that only tunnels have', false, entryMessage(port, and(lladdr, dst)), 'port'],
    [
      'of a port, with a number that only tunnels have',
      false,
      entryMessage(
        port,
        and(lladdr, (to) => to.u32(k.NDA_VNI, 1)),
      ),
      'port',
    ],
    ['that a bridge learned', false, entryMessage({ state: k.NUD_STALE }, lladdr), undefined],
    ["of a port, the device's own", false, entryMessage({ ...port, ...self }, lladdr), undefined],
    [
      'of a port, the copy in a VLAN',
      false,
      entryMessage(
        port,
        and(lladdr, (to) => to.u32(k.NDA_VLAN, 1)),
      ),
      undefined,
    ],
    [
      'of a port, with an address that is no MAC',
      false,
      entryMessage(port, (to) => putBytes(to, k.NDA_LLADDR, 1, 2)),
      undefined,
    ],
    [
      'of a port, with more that we do not read',
      false,
      entryMessage(
        port,
        and(lladdr, (to) => putBytes(to, unknownAttribute, 1, 2, 3, 4, 5, 6)),
      ),
      'port',
    ],
  ])('%s', (_, isVxlan, message, target) => {
    const record = wire.readFdb(received(message), (index) => index === 3 && isVxlan);
    expect(record).toEqual(target && { index: 3, mac, target });
  });

  const gone = { type: k.RTM_DELNEIGH };
  it.each<[string, boolean, Encode, string | undefined]>([
    ['set, of a tunnel', true, entryMessage(self, and(lladdr, dst)), '192.0.2.2'],
    ['gone, of a tunnel', true, entryMessage({ ...self, ...gone }, lladdr), 'absent'],
    ["gone, its bridge's copy", true, entryMessage(gone, lladdr), undefined],
    ['set, of a port', false, entryMessage(port, lladdr), 'port'],
    ['gone, of a port', false, entryMessage(gone, lladdr), 'absent'],
    ["gone, the device's own", false, entryMessage({ ...self, ...gone }, lladdr), undefined],
    [
      'gone, the copy in a VLAN',
      false,
      entryMessage(
        gone,
        and(lladdr, (to) => to.u32(k.NDA_VLAN, 1)),
      ),
      undefined,
    ],
    ['set, a neighbour', false, entryMessage({ family: k.AF_INET }, and(dst, lladdr)), mac],
    [
      'learned, a neighbour',
      false,
      entryMessage({ family: k.AF_INET, state: k.NUD_STALE }, and(dst, lladdr)),
      'absent',
    ],
    ['gone, a neighbour', false, entryMessage({ family: k.AF_INET, ...gone }, and(dst, lladdr)), 'absent'],
  ])('whose state a message gives: %s', (_, isVxlan, message, state) => {
    expect(wire.readEntryState(received(message), isVxlan)).toBe(state);
  });

  it.each<[string, Encode, object | undefined]>([
    ['of a bridge: its MAC', entryMessage({}, and(dst, lladdr)), { index: 3, mac }],
    [
      'of a neighbour: its address',
      entryMessage({ family: k.AF_INET }, and(lladdr, dst)),
      { index: 3, ip: '192.0.2.2' },
    ],
    ['of a bridge, without a MAC', entryMessage({}, dst), undefined],
    [
      'of a bridge, with an address that is no MAC',
      entryMessage({}, (to) => putBytes(to, k.NDA_LLADDR, 1, 2)),
      undefined,
    ],
    ['of a neighbour, without an address', entryMessage({ family: k.AF_INET }, lladdr), undefined],
  ])('whose key a message gives: %s', (_, message, key) => {
    expect(wire.readEntryKey(received(message))).toEqual(key);
  });
});

it.each<[string, Encode, (message: MessageReader) => unknown]>([
  ['a link with an MTU of two bytes', linkMessage({}, (to) => putBytes(to, k.IFLA_MTU, 1, 2)), wire.readLink],
  ['an address of three bytes', addressMessage({}, (to) => putBytes(to, k.IFA_LOCAL, 1, 2, 3)), wire.readAddress],
  ['a gateway of three bytes', routeMessage({}, (to) => putBytes(to, k.RTA_GATEWAY, 1, 2, 3)), wire.readRoute],
  ['a neighbour of no bytes', entryMessage({ family: k.AF_INET }, (to) => putBytes(to, k.NDA_DST)), wire.readNeighbour],
  [
    'a message that ends in its fixed part',
    (to) => {
      to.begin(k.RTM_NEWLINK);
      to.struct(4);
      to.end();
    },
    wire.readLink,
  ],
])('%s is refused', (_, message, read) => {
  expect(() => read(received(message))).toThrow(DecodeError);
});
