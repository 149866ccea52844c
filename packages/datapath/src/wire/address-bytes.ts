import { type Ip, ipBytes, ipFromBytes, type Mac } from '@causeway/model';

const digitZero = 48;
const dot = 46;

/** Writes the 6 bytes of a MAC without making anything on the way: 20,000 entries pass here. */
export function writeMac(to: Uint8Array, at: number, mac: Mac): void {
  for (let i = 0; i < 6; i++) to[at + i] = (nibble(mac.charCodeAt(3 * i)) << 4) | nibble(mac.charCodeAt(3 * i + 1));
}

/** Writes an address in network byte order and returns its length, 4 or 16. `to` has room for 16. */
export function writeIp(to: Uint8Array, at: number, ip: Ip): 4 | 16 {
  if (ip.includes(':')) {
    to.set(ipBytes(ip), at);
    return 16;
  }
  let part = 0;
  let value = 0;
  for (let i = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    if (code === dot) {
      to[at + part++] = value;
      value = 0;
    } else value = value * 10 + code - digitZero;
  }
  to[at + part] = value;
  return 4;
}

export function readIp(from: Uint8Array, at: number, length: 4 | 16): Ip {
  if (length === 16) return ipFromBytes(from.subarray(at, at + 16));
  return `${from[at]}.${from[at + 1]}.${from[at + 2]}.${from[at + 3]}` as Ip;
}

/** '0'…'9', 'a'…'f' (a canonical MAC has no others) as their value. */
function nibble(code: number): number {
  return code < 58 ? code - digitZero : code - 87;
}
