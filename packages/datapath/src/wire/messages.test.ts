import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { type Encode, MessageReader, MessageWriter, NLM_F_REQUEST } from '@causeway/netlink';
import { expect, it } from 'vitest';
import { block, demand, ends, saKey, state } from '../testing/xfrm-fixtures.ts';
import * as wire from './index.ts';

const mac = Mac('02:42:0a:42:00:09');
const peer = { name: 'eth0', mac, mtu: 1450, netns: 9 };
const link = { name: 'v1', mac: Mac('02:46:00:00:00:01'), mtu: 1450, up: true, master: 2 };
const tunnel = { ...link, name: 'vxlan0', vni: Vni(4096), port: 4789, netns: 7 };
const [here, there] = [ends[6].here, ends[6].there];
const sending = state({ direction: 'out', src: here, dst: there });
const encap = { sport: 4500, dport: 4501 };
const limits = { soft: { bytes: 2 ** 40 }, hard: { packets: 7, seconds: 9 } };
const demanded = demand('out', here, there, { spi: 0x1100_0001 });
const v4 = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.1'), index: 4, metric: 100 };

/** Every message that we send. The tests in io/ check that the kernel accepts them. */
const messages: readonly (readonly [string, Encode])[] = [
  ['ip link add br0 … type bridge forward_delay 0', wire.addBridge({ name: 'br0', mac, mtu: 1450, up: false })],
  ['ip link add vxlan0 … type vxlan (IPv4)', wire.addVxlan({ ...tunnel, local: Ip('192.0.2.1') })],
  ['ip link add vxlan0 … type vxlan srcport', wire.addVxlan({ ...tunnel, sourcePort: 4793, local: Ip('192.0.2.1') })],
  ['ip link add vxlan0 … type vxlan (IPv6)', wire.addVxlan({ ...tunnel, local: Ip('2001:db8::1') })],
  ['ip link add v1 … type veth peer …', wire.addVeth({ ...link, peer })],
  ['ip link set … up', wire.setLink(4, { up: true })],
  ['ip link set … address mtu master down', wire.setLink(4, { mac, mtu: 1400, master: 2, up: false })],
  ['ip link set … type vxlan local', wire.setVxlanLocal(3, Ip('192.0.2.9'))],
  ['bridge link set … learning off flood on', wire.setPortFlags(3, { learning: false, flood: true })],
  ['ip link delete', wire.deleteLink(4)],
  ['ip link show NAME', wire.getLink('vxlan0')],
  ['ip link show', wire.dumpLinks],
  ['ip address add (IPv4)', wire.addAddress(4, InterfaceAddress('10.66.0.9/16'))],
  ['ip address add (IPv6)', wire.addAddress(4, InterfaceAddress('fd66::9/64'))],
  ['ip address delete', wire.deleteAddress(4, InterfaceAddress('10.66.0.9/16'))],
  ['ip address show', wire.dumpAddresses],
  ['ip route replace default via', wire.setRoute(v4)],
  ['ip route replace PREFIX dev (IPv6, on link)', wire.setRoute({ dst: Prefix('fd67::/64'), index: 4, metric: 5 })],
  ['ip route delete', wire.deleteRoute(v4)],
  ['ip route show', wire.dumpRoutes],
  ['ip neighbour replace (IPv4)', (to) => wire.setNeighbour(to, 3, Ip('10.66.0.10'), mac)],
  ['ip neighbour replace (IPv6)', (to) => wire.setNeighbour(to, 3, Ip('fd66::a'), mac)],
  ['ip neighbour delete', (to) => wire.deleteNeighbour(to, 3, Ip('10.66.0.10'))],
  ['ip neighbour show', wire.dumpNeighbours],
  ['bridge fdb replace … self dst', (to) => wire.setFdb(to, 3, mac, Ip('192.0.2.2'))],
  ['bridge fdb replace … master static', (to) => wire.setFdb(to, 4, mac, 'port')],
  ['bridge fdb delete … self dst', (to) => wire.deleteFdb(to, 3, mac, Ip('192.0.2.2'))],
  ['bridge fdb delete … self, whatever dst', (to) => wire.deleteFdb(to, 3, mac, wire.noVtep)],
  ['bridge fdb show', wire.dumpFdb],
  ['bridge fdb get … self', (to) => wire.getFdb(to, 3, mac, 'self')],
  ['bridge fdb get … master', (to) => wire.getFdb(to, 4, mac, 'master')],
  ['ip neighbour get', (to) => wire.getNeighbour(to, 3, Ip('10.66.0.10'))],
  ['ip xfrm state add … dir in', wire.addState(state(), 'directed')],
  ['ip xfrm state add … dir out (IPv6)', wire.addState(sending, 'directed')],
  ['ip xfrm state add …, before Linux 6.10', wire.addState(sending, 'undirected')],
  ['ip xfrm state update … encap … limit', wire.replaceLarval(state({ encap, limits }), 'directed')],
  ['ip xfrm state delete', wire.deleteState(state())],
  ['ip xfrm state get', wire.getState(state())],
  ['ip xfrm state list', wire.dumpStates],
  ['ip xfrm policy update … action block', wire.setPolicy(block('fwd', 6))],
  ['ip xfrm policy update … tmpl', wire.setPolicy(demanded)],
  ['ip xfrm policy delete', wire.deletePolicy(demanded)],
  ['ip xfrm policy get', wire.getPolicy(demanded)],
  ['ip xfrm policy list', wire.dumpPolicies],
  ['ip link add br0 … group 7 master', wire.addBridge({ name: 'br0', mac, mtu: 1450, up: true, group: 7, master: 2 })],
  ['ip link show index', wire.getLink(4)],
  ['ip link show, in the namespace with number 7', wire.dumpLinksIn(7)],
  ['ip link delete, in the namespace with number 7', wire.deleteLinkIn(7, 4)],
  ['ip neighbour change … nud stale', (to) => wire.changeNeighbour(to, 3, Ip('10.66.0.10'), mac)],
  ['ip netns set … 7', wire.setNsid(9, 7)],
  ['ip netns list-id, of one namespace', wire.getNsid(9)],
  ['ip netns list-id', wire.dumpNsids],
];

it('messages are these bytes', async () => {
  const text = messages.map(([name, encode]) => `${name}\n${hex(encoded(encode))}\n`).join('\n');
  await expect(text).toMatchFileSnapshot('./golden/messages.txt');
});

it.each(messages)('%s: a whole message of whole attributes', (_, encode) => {
  const bytes = encoded(encode);
  const reader = new MessageReader(bytes);
  expect(reader.next()).toBe(true);
  expect([reader.end, reader.sequence, reader.flags & NLM_F_REQUEST]).toEqual([bytes.length, 7, 1]);
  expect(reader.next()).toBe(false);
});

it('what is written of a link, an address, a route and a neighbour is read again', () => {
  const read = <Value>(encode: Encode, of: (message: MessageReader) => Value): Value => {
    const reader = new MessageReader(encoded(encode));
    reader.next();
    return of(reader);
  };
  expect(read(wire.addVxlan({ ...tunnel, group: 7, local: Ip('2001:db8::1') }), wire.readLink)).toEqual({
    index: 0,
    name: 'vxlan0',
    mac: link.mac,
    mtu: 1450,
    up: true,
    carrier: false,
    kind: 'vxlan',
    master: 2,
    group: 7,
    crossesNamespaces: false,
    vxlan: { vni: 4096, port: 4789, local: '2001:db8::1', plain: true },
  });
  for (const address of [InterfaceAddress('10.66.0.9/16'), InterfaceAddress('fd66::9/64')]) {
    expect(read(wire.addAddress(4, address), wire.readAddress)).toEqual({ index: 4, address });
  }
  expect(read(wire.setRoute(v4), wire.readRoute)).toEqual(v4);
  const neighbour = { index: 3, ip: Ip('fd66::a'), mac };
  expect(read((to) => wire.setNeighbour(to, 3, neighbour.ip, mac), wire.readNeighbour)).toEqual(neighbour);
  for (const policy of [block('in'), block('fwd', 6), demanded]) {
    expect(read(wire.setPolicy(policy), wire.readPolicy)).toEqual(policy);
  }
  for (const [form, direction] of [
    ['directed', 'out'],
    ['undirected', 'unknown'],
  ] as const) {
    const each = { ...sending, encap, limits };
    const { key, counts: _, ...found } = read(wire.addState(each, form), wire.readState) ?? each;
    expect({ ...found, key: 0 }).toEqual({ ...each, direction, key: 0 });
    expect([key.equals(saKey()), key.equals(saKey(1))]).toEqual([true, false]);
  }
  const entry = { index: 3, mac, target: Ip('192.0.2.2') };
  expect(
    read(
      (to) => wire.setFdb(to, 3, mac, entry.target),
      (message) => wire.readFdb(message, () => true),
    ),
  ).toEqual(entry);
});

function encoded(encode: Encode): Uint8Array {
  const writer = new MessageWriter();
  writer.reset(7);
  encode(writer);
  return writer.bytes.slice();
}

/** Words of four bytes, four per line. */
function hex(bytes: Uint8Array): string {
  const words = [
    ...Buffer.from(bytes)
      .toString('hex')
      .matchAll(/.{1,8}/g),
  ].map(String);
  return words
    .map((word, n) => `${word}${n % 4 === 3 ? '\n' : ' '}`)
    .join('')
    .trim();
}
