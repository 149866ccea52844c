import { ipBytes, ipFromBytes, parseIp } from '@causeway/model';

/** The first bytes of an IPv4 address that is written as IPv6, as sockets of both families do: ::ffff:192.0.2.1. */
const mappedV4 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/** Bytes of an IPv6 address that a network gives; the host chooses the others, and may have any number of addresses. */
const networkBytes = 8;

/** By what the connections and calls of strangers are counted: an IPv4 address, or the /64 of an IPv6 address. */
export function sourceOf(address: string): string {
  const ip = parseIp(address);
  if (!ip.ok) return address;
  const bytes = ipBytes(ip.value);
  if (bytes.length === 4) return ip.value;
  if (mappedV4.every((byte, i) => bytes[i] === byte)) return ipFromBytes(bytes.subarray(mappedV4.length));
  return `${ipFromBytes(bytes.map((byte, i) => (i < networkBytes ? byte : 0)))}/64`;
}
