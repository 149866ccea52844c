import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as wire from './index.ts';

const mac = Mac('02:42:0a:42:00:09');
const readers: readonly ((message: wire.MessageReader) => unknown)[] = [
  wire.readLink,
  wire.readAddress,
  wire.readRoute,
  wire.readNeighbour,
  (message) => wire.readFdb(message, () => true),
  (message) => wire.readFdb(message, () => false),
  wire.readAnswer,
  (message) => new wire.ChangeFilter().changeOf(message),
];

const whole: readonly Uint8Array[] = [
  wire.addVxlan({ name: 'vxlan0', mac, mtu: 1450, up: true, vni: Vni(9), port: 4789, local: Ip('::1'), netns: 3 }),
  wire.setPortFlags(3, { learning: false, flood: true }),
  wire.addAddress(4, InterfaceAddress('fd66::9/64')),
  wire.setRoute({ dst: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1'), index: 4, metric: 5 }),
  (to: wire.MessageWriter) => wire.setNeighbour(to, 3, Ip('fd66::a'), mac),
  (to: wire.MessageWriter) => wire.setFdb(to, 3, mac, Ip('192.0.2.2')),
].map((encode) => {
  const writer = new wire.MessageWriter();
  encode(writer);
  return writer.bytes.slice();
});

/** Everything that can be read of a datagram; only DecodeError is let pass. */
function readAll(bytes: Uint8Array): void {
  for (const read of readers) {
    try {
      const messages = new wire.MessageReader(bytes);
      while (messages.next()) read(messages);
    } catch (error) {
      if (!(error instanceof wire.DecodeError)) throw error;
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

it.each([
  ['a header cut short', [1, 0, 0, 0], 'too few'],
  ['a length below the header', [15, ...zeros(15)], '15 bytes in 16'],
  ['a length beyond the end', [20, ...zeros(15)], '20 bytes in 16'],
])('%s is refused', (_, bytes, message) => {
  expect(() => new wire.MessageReader(Uint8Array.from(bytes)).next()).toThrow(message);
});

it.each([
  ['shorter than its header', [3, 0, 1, 0]],
  ['longer than the message', [8, 0, 1, 0]],
])('an attribute %s is refused', (_, bytes) => {
  const reader = new wire.MessageReader(Uint8Array.from([20, ...zeros(15), ...bytes]));
  reader.next();
  const attributes = reader.attributes(0);
  expect(() => attributes.next()).toThrow(wire.DecodeError);
});

it("an answer's words are found after a request that is echoed whole or capped", () => {
  const text = [11, 0, 1, 0, ...Buffer.from('VNI in\0'), 0];
  const header = [16, 0, 0, 0, ...zeros(12)];
  for (const [flags, echoed] of [
    [wire.NLM_F_ACK_TLVS | wire.NLM_F_CAPPED, [40, 0, 0, 0, ...zeros(12)]],
    [wire.NLM_F_ACK_TLVS, [...header]],
    [wire.NLM_F_ACK_TLVS, [22, 0, 0, 0, ...zeros(12), ...zeros(8)]],
  ] as const) {
    const body = [0xef, 0xff, 0xff, 0xff, ...echoed, ...text];
    const bytes = Uint8Array.from([16 + body.length, 0, 0, 0, 2, 0, flags & 255, flags >> 8, ...zeros(8), ...body]);
    const reader = new wire.MessageReader(bytes);
    reader.next();
    expect(wire.readAnswer(reader)).toEqual({ errno: 17, message: 'VNI in' });
  }
});

function zeros(count: number): number[] {
  return Array<number>(count).fill(0);
}
