import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { DecodeError, MessageReader, MessageWriter } from '@causeway/netlink';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { block, demand, ends, saKey, state } from '../testing/xfrm-fixtures.ts';
import * as wire from './index.ts';

const mac = Mac('02:42:0a:42:00:09');
const readers: readonly ((message: MessageReader) => unknown)[] = [
  wire.readLink,
  wire.readAddress,
  wire.readRoute,
  wire.readNeighbour,
  (message) => wire.readFdb(message, () => true),
  (message) => wire.readFdb(message, () => false),
  wire.readState,
  wire.kindOfState,
  wire.readPolicy,
  (message) => new wire.ChangeFilter(new Map()).changeOf(message),
];

const whole: readonly Uint8Array[] = [
  wire.addVxlan({ name: 'vxlan0', mac, mtu: 1450, up: true, vni: Vni(9), port: 4789, local: Ip('::1'), netns: 3 }),
  wire.setPortFlags(3, { learning: false, flood: true }),
  wire.addAddress(4, InterfaceAddress('fd66::9/64')),
  wire.setRoute({ dst: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1'), index: 4, metric: 5 }),
  (to: MessageWriter) => wire.setNeighbour(to, 3, Ip('fd66::a'), mac),
  (to: MessageWriter) => wire.setFdb(to, 3, mac, Ip('192.0.2.2')),
  wire.addState(state({ encap: { sport: 4500, dport: 4500 } }), 'directed'),
  wire.setPolicy(demand('out', ends[4].here, ends[4].there)),
].map((encode) => {
  const writer = new MessageWriter();
  encode(writer);
  return writer.bytes.slice();
});

/** Calls every reader on a datagram; only DecodeError is caught. */
function readAll(bytes: Uint8Array): void {
  for (const read of readers) {
    try {
      const messages = new MessageReader(bytes);
      while (messages.next()) read(messages);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      expect(error.message.length).toBeLessThan(100);
    }
  }
}

it('arbitrary bytes are read or refused, nothing else', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readAll));
});

it('damaged and truncated messages are read or refused, nothing else', () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...whole), damage, fc.nat({ max: 200 }), (message, changes, cut) => {
      const bytes = message.slice(0, Math.max(0, message.length - (cut > 100 ? 0 : cut)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      readAll(bytes);
    }),
    { numRuns: 2000 },
  );
});

/** The message of an encoder, read after some of the bytes of its body were changed. */
function changed<Value>(
  encode: (to: MessageWriter) => void,
  bytes: readonly (readonly [at: number, value: number])[],
  read: (message: MessageReader) => Value,
): Value {
  const writer = new MessageWriter();
  encode(writer);
  const message = writer.bytes.slice();
  for (const [at, value] of bytes) message[headerBytes + at] = value;
  const reader = new MessageReader(message);
  reader.next();
  return read(reader);
}

const headerBytes = 16;
const [four, six] = [InterfaceAddress('10.66.0.9/16'), InterfaceAddress('fd66::9/64')];
const [family, scope] = [0, 3];
const unknownFamily = 99;

it.each<[string, InterfaceAddress, number, number, boolean]>([
  ['an IPv4 address', four, scope, 0, true],
  ['an IPv6 address', six, scope, 0, true],
  ['an IPv4 address of link scope', four, scope, 253, true],
  ['an IPv6 address of link scope: the kernel made it', six, scope, 253, false],
  ['an address of host scope: the kernel made it', four, scope, 254, false],
  ['an address of an unknown family', four, family, unknownFamily, false],
])('whether an address is read: %s', (_, address, at, value, isRead) => {
  const read = changed(wire.addAddress(4, address), [[at, value]], wire.readAddress);
  expect(read).toEqual(isRead ? { index: 4, address } : undefined);
});

const route = { dst: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1'), index: 4, metric: 5 };
const [protocol, type, flags] = [5, 7, 8];

it.each<[string, number, number, boolean, boolean]>([
  ['a route of this agent', protocol, 4, true, true],
  ['a route that the kernel made for an address', protocol, 2, false, true],
  ['a route that is not unicast', type, 2, false, false],
  ['a route of an unknown family', family, unknownFamily, false, false],
  ['a route that is a copy in a cache', flags + 1, 2, false, false],
])('whether a route is read, and whether its destination is: %s', (_, at, value, isRead, isDestination) => {
  const read = changed(wire.setRoute(route), [[at, value]], wire.readRoute);
  const destination = changed(wire.setRoute(route), [[at, value]], wire.readDestination);
  expect([read, destination]).toEqual([isRead ? route : undefined, isDestination ? route.dst : undefined]);
});

describe('a notification', () => {
  const tunnel = {
    name: 'vxlan0',
    mac,
    mtu: 1450,
    up: true,
    vni: Vni(9),
    port: 4789,
    local: Ip('192.0.2.1'),
    netns: 3,
  };
  const bridge = { name: 'br0', mac, mtu: 1450, up: true };
  const permanent = [8, 0x80] as const;
  const stale = [8, 0x04] as const;
  const index = [4, 7] as const;

  /** A filter that knows a link, of index 7, and what it says of messages. */
  function filter(link: (to: MessageWriter) => void) {
    const known = new wire.ChangeFilter(new Map());
    const of = (
      encode: (to: MessageWriter) => void,
      ...bytes: (readonly [number, number])[]
    ): wire.Change | undefined => changed(encode, bytes, (message) => known.changeOf(message));
    return { of, first: of(link, index) };
  }

  it('names a new link once, and again when it has changed', () => {
    const { of, first } = filter(wire.addBridge(bridge));
    expect(first).toEqual({ kind: 'link', name: 'br0' });
    expect(of(wire.addBridge(bridge), index)).toBeUndefined();
    expect(of(wire.addBridge({ ...bridge, mtu: 1400 }), index)).toEqual({ kind: 'link', name: 'br0' });
    expect(of(wire.addBridge({ ...bridge, name: 'br1', mtu: 1400 }), index)).toEqual({ kind: 'other' });
  });

  it.each<[string, (to: MessageWriter) => void, (to: MessageWriter) => void, wire.Change | undefined]>([
    [
      'a neighbour of the tunnel, whatever its state',
      wire.addVxlan(tunnel),
      (to) => wire.setNeighbour(to, 7, Ip('fd66::a'), mac),
      { kind: 'entry', slot: 'neighbours', dev: 'vxlan0', key: Ip('fd66::a') },
    ],
    [
      'an entry of the tunnel',
      wire.addVxlan(tunnel),
      (to) => wire.setFdb(to, 7, mac, Ip('192.0.2.2')),
      { kind: 'entry', slot: 'fdb', dev: 'vxlan0', key: mac },
    ],
    [
      'an entry of the tunnel for a group: a read of it would show one VTEP only',
      wire.addVxlan(tunnel),
      (to) => wire.setFdb(to, 7, Mac('01:00:5e:00:00:01'), Ip('192.0.2.2')),
      { kind: 'other' },
    ],
    [
      'an entry of a link that is not known',
      wire.addVxlan(tunnel),
      (to) => wire.setFdb(to, 8, mac, Ip('192.0.2.2')),
      { kind: 'other' },
    ],
  ])('of %s', (_, link, message, change) => expect(filter(link).of(message)).toEqual(change));

  it('of a neighbour of a bridge is a change when the entry is permanent, otherwise traffic', () => {
    const { of } = filter(wire.addBridge(bridge));
    const neighbour = (to: MessageWriter): void => wire.setNeighbour(to, 7, Ip('10.66.0.9'), mac);
    expect(of(neighbour, permanent)).toMatchObject({ kind: 'entry', slot: 'neighbours', dev: 'br0' });
    expect(of(neighbour, stale)).toBeUndefined();
  });
});

describe('an SA in a message', () => {
  const [mode, flags, selectorLength] = [214, 216, 42];
  const [protocol, reqid] = [76, 208 + 3];
  /** Offsets after struct xfrm_usersa_info: the header of the first attribute, the name, the lengths. */
  const [name, icv, window] = [228, 228 + 68, 228 + 92 + 4 + 20];
  const encode = wire.addState(state(), 'directed');

  it.each<[string, number, number]>([
    ['another mode: tunnel', mode, 1],
    ['no extended sequence numbers', flags, 0],
    ['a selector of more than its two addresses', selectorLength, 24],
    ['another cipher', name, 'x'.charCodeAt(0)],
    ['a shorter ICV', icv, 64],
    ['a smaller replay window', window, 64],
  ])('is weaker than ours with %s', (_, at, value) => {
    expect(changed(encode, [], wire.readState)?.isStrict).toBe(true);
    const weaker = [[at, value], ...(at === window ? [[window + 1, 0] as const] : [])] as const;
    expect(changed(encode, weaker as readonly (readonly [number, number])[], wire.readState)?.isStrict).toBe(false);
  });

  it.each<[string, number, number]>([
    ['of AH', protocol, 51],
    ['with a reqid of another program', reqid, 0],
    ['of no known family', 212, 99],
  ])('is foreign: %s', (_, at, value) => {
    expect(changed(encode, [[at, value]], wire.readState)).toBeUndefined();
    expect(changed(encode, [[at, value]], wire.kindOfState)).toBe('foreign');
  });

  it('is larval without a key', () => {
    const unknownAttribute = 200;
    expect(changed(encode, [[226, unknownAttribute]], wire.readState)).toBeUndefined();
    expect(changed(encode, [[226, unknownAttribute]], wire.kindOfState)).toBe('larval');
    expect(changed(encode, [], wire.kindOfState)).toBe('ours');
  });

  it('overwrites the key in the buffer, of foreign SAs too', () => {
    for (const of of [state(), state({ reqid: 7 })]) {
      for (const read of [wire.readState, wire.kindOfState]) {
        const writer = new MessageWriter();
        wire.addState(of, 'directed')(writer);
        const message = writer.bytes.slice();
        const holds = (): boolean => Buffer.from(message).includes(Buffer.from(saKey().reveal()));
        expect(holds()).toBe(true);
        const reader = new MessageReader(message);
        reader.next();
        read(reader);
        expect(holds()).toBe(false);
      }
    }
  });
});

describe('a policy in a message', () => {
  const { here, there } = ends[4];
  const encode = wire.setPolicy(demand('out', here, there, { spi: 7 }));
  const [priority, protocol, action, direction, portMask] = [152 + 1, 44, 161, 160, 34];
  const template = 168 + 4;

  it.each<[string, (to: MessageWriter) => void, number, number, string | undefined]>([
    ['as it was written', encode, 0, 192, 'esp'],
    ['a priority of another program', encode, priority, 0, undefined],
    ['another protocol', encode, protocol, 6, undefined],
    ['a range of ports', encode, portMask, 0, undefined],
    ['a direction of a socket', encode, direction, 3, undefined],
    ['a reqid of another program', encode, template + 44 + 3, 0, undefined],
    ['an SA that is not needed (level use)', encode, template + 50, 1, 'other'],
    ['tunnel mode', encode, template + 48, 1, 'other'],
    ['AH', encode, template + 20, 51, 'other'],
    ['a block', encode, action, 1, 'block'],
    ['no template: packets pass in the clear', wire.setPolicy(block('out')), action, 0, 'other'],
  ])('%s', (_, from, at, value, kind) => {
    expect(changed(from, [[at, value]], wire.readPolicy)?.action.kind).toBe(kind);
  });
});
