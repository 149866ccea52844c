import { type Ip, ipBytes, ipFromBytes, type Mac, macFromBytes } from '@causeway/model';
import { type AttributeReader, DecodeError, type MessageWriter } from '@causeway/netlink';

const digitZero = 48;
const dot = 46;

export function putMac(to: MessageWriter, type: number, mac: Mac): void {
  const at = to.attribute(type, 6);
  writeMac(to.buffer, at, mac);
}

export function putIp(to: MessageWriter, type: number, ip: Ip): void {
  const at = to.attribute(type, ip.includes(':') ? 16 : 4);
  writeIp(to.buffer, at, ip);
}

export function readMac(attribute: AttributeReader): Mac {
  return macFromBytes(attribute.bytes, attribute.value(6));
}

export function readIp(attribute: AttributeReader): Ip {
  const { bytes, length, type } = attribute;
  const at = attribute.value(0);
  if (length === 16) return ipFromBytes(bytes.subarray(at, at + 16));
  if (length === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}` as Ip;
  throw new DecodeError(`attribute ${type}: an address of ${length} bytes`);
}

/** Writes the 6 bytes of a MAC without allocating anything: 20,000 entries pass here. */
function writeMac(to: Uint8Array, at: number, mac: Mac): void {
  for (let i = 0; i < 6; i++) to[at + i] = (nibble(mac.charCodeAt(3 * i)) << 4) | nibble(mac.charCodeAt(3 * i + 1));
}

/** Writes an address in network byte order. */
function writeIp(to: Uint8Array, at: number, ip: Ip): void {
  if (ip.includes(':')) {
    to.set(ipBytes(ip), at);
    return;
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
}

/** The value of the digits '0'…'9', 'a'…'f': a canonical MAC has no others. */
function nibble(code: number): number {
  return code < 58 ? code - digitZero : code - 87;
}
