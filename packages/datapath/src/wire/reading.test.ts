import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { DecodeError, MessageReader, MessageWriter } from '@causeway/netlink';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as wire from './index.ts';

const mac = Mac('02:42:0a:42:00:09');
const readers: readonly ((message: MessageReader) => unknown)[] = [
  wire.readLink,
  wire.readAddress,
  wire.readRoute,
  wire.readNeighbour,
  (message) => wire.readFdb(message, () => true),
  (message) => wire.readFdb(message, () => false),
  (message) => new wire.ChangeFilter(new Map()).changeOf(message),
];

const whole: readonly Uint8Array[] = [
  wire.addVxlan({ name: 'vxlan0', mac, mtu: 1450, up: true, vni: Vni(9), port: 4789, local: Ip('::1'), netns: 3 }),
  wire.setPortFlags(3, { learning: false, flood: true }),
  wire.addAddress(4, InterfaceAddress('fd66::9/64')),
  wire.setRoute({ dst: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1'), index: 4, metric: 5 }),
  (to: MessageWriter) => wire.setNeighbour(to, 3, Ip('fd66::a'), mac),
  (to: MessageWriter) => wire.setFdb(to, 3, mac, Ip('192.0.2.2')),
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
