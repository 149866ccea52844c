import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Bytes } from '../wire/bytes.ts';

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The bytes of an address: 4 for IPv4, also where IPv4 is mapped into IPv6. Undefined: the text is no address. */
export function parseIp(text: string): Bytes | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  const [address = ''] = text.split('%');
  if (!isIPv6(address)) return undefined;
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const bytes = Uint8Array.from([...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back]);
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

export function formatIp(bytes: Bytes): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  return Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16)).join(
    ':',
  );
}

function isMapped(bytes: Bytes): boolean {
  return bytes.length === 16 && mappedPrefix.every((byte, i) => bytes[i] === byte);
}

/** The address that others can reach best if a node listens on all addresses: the first that is not of this machine only. */
export function defaultAdvertised(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const found = outside.find(({ family }) => family === 'IPv4') ?? outside[0];
  return found?.address ?? '127.0.0.1';
}
