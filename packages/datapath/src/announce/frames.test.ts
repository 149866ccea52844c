import { Ip, ipFromBytes, Mac, macFromBytes } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { announcementFrames, arpReply, neighbourAdvertisement } from './frames.ts';

const own = Mac('02:42:0a:42:00:09');

/** "02 42 …": hexadecimal bytes; white space separates fields. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

it('a gratuitous ARP reply, byte by byte as tcpdump and RFC 826 show it', () => {
  expect(arpReply(Ip('10.66.0.9'), own)).toEqual(
    bytes(`
      ffffffffffff 02420a420009 0806
      0001 0800 06 04 0002
      02420a420009 0a420009
      02420a420009 0a420009`),
  );
});

it('an unsolicited neighbour advertisement, byte by byte as RFC 4861 §4.4 shows it', () => {
  expect(neighbourAdvertisement(Ip('fd66::9'), own)).toEqual(
    bytes(`
      333300000001 02420a420009 86dd
      60000000 0020 3a ff
      fd660000000000000000000000000009
      ff020000000000000000000000000001
      88 00 4f33 20000000
      fd660000000000000000000000000009
      02 01 02420a420009`),
  );
});

it('a frame for each container that is named, one for all otherwise', () => {
  const [a, b] = [Mac('02:42:0a:42:00:0a'), Mac('02:42:0a:42:00:0b')];
  for (const ip of [Ip('10.66.0.9'), Ip('fd66::9')]) {
    expect(announcementFrames({ ip, mac: own, to: [] })).toEqual([]);
    const [first, second, ...more] = announcementFrames({ ip, mac: own, to: [a, b] });
    const [all = new Uint8Array()] = announcementFrames({ ip, mac: own, to: 'all' });
    expect([macFromBytes(first ?? all), macFromBytes(second ?? all), more]).toEqual([a, b, []]);
    // Only the destination differs.
    expect(first?.subarray(6)).toEqual(all.subarray(6));
  }
});

const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((each): Mac => macFromBytes(each));
const anyIp = (length: 4 | 16) => fc.uint8Array({ minLength: length, maxLength: length }).map(ipFromBytes);

it('what a receiver reads from an ARP reply is the address and the MAC, twice', () => {
  fc.assert(
    fc.property(anyIp(4), anyMac, anyMac, (ip, mac, to) => {
      const [frame = new Uint8Array()] = announcementFrames({ ip, mac, to: [to] });
      expect([macFromBytes(frame), macFromBytes(frame, 6)]).toEqual([to, mac]);
      for (const at of [22, 32]) {
        expect([macFromBytes(frame, at), ipFromBytes(frame.slice(at + 6, at + 10))]).toEqual([mac, ip]);
      }
    }),
  );
});

it('a receiver accepts a neighbour advertisement: lengths, hop limit and checksum are right', () => {
  fc.assert(
    fc.property(anyIp(16), anyMac, (ip, from) => {
      const frame = neighbourAdvertisement(ip, from);
      const view = new DataView(frame.buffer);
      expect([frame.length, view.getUint16(18), frame[21]]).toEqual([14 + 40 + view.getUint16(18), 32, 255]);
      expect([ipFromBytes(frame.slice(22, 38)), ipFromBytes(frame.slice(62, 78))]).toEqual([ip, ip]);
      expect(macFromBytes(frame, 80)).toBe(from);
      expect(onesSum([...frame.subarray(22), 0, 0, 0, 32, 0, 0, 0, 58])).toBe(0xffff);
    }),
  );
});

/** The sum over a received message and its pseudo-header; with a right checksum, all ones (RFC 1071 §1). */
function onesSum(all: readonly number[]): number {
  return all.reduce((sum, byte, at) => {
    const next = sum + (at % 2 === 0 ? byte * 256 : byte);
    return next > 0xffff ? next - 0xffff : next;
  }, 0);
}
