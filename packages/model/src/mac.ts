import type { Brand } from './brand.ts';
import { CausewayError } from './error.ts';
import { family, type Ip, ipBytes } from './ip.ts';
import { fail, ok, type Result, unwrap } from './result.ts';
import { clip } from './visible.ts';

/** An Ethernet address in lower-case text: "02:42:0a:42:00:09". */
export type Mac = Brand<string, 'Mac'>;

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function parseMac(text: string): Result<Mac, CausewayError> {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    const message = `"${clip(text)}" is not an Ethernet address such as 02:42:0a:42:00:09`;
    return fail(new CausewayError('address-invalid', message, { value: clip(text) }));
  }
  return ok(text.toLowerCase() as Mac);
}

export function Mac(text: string): Mac {
  return unwrap(parseMac(text));
}

export function macBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) bytes[i] = Number.parseInt(mac.slice(3 * i, 3 * i + 2), 16);
  return bytes;
}

export function macFromBytes(bytes: Uint8Array, at = 0): Mac {
  const part = (i: number): string => hex[bytes[at + i] ?? 0] ?? '';
  return `${part(0)}:${part(1)}:${part(2)}:${part(3)}:${part(4)}:${part(5)}` as Mac;
}

/**
 * Whether frames to this MAC go to many hosts: a multicast MAC, or all zero, which is vxlan's entry for unknown
 * destinations.
 */
export function isGroup(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1 || mac === '00:00:00:00:00:00';
}

/**
 * The locally administered MAC that belongs to an IP address. For IPv4: 02:42 and the four bytes of the address, so that
 * a container's cached entry stays right when the address is given again. For IPv6: 02:43 and the last four bytes of the
 * address.
 */
export function macForIp(ip: Ip): Mac {
  const bytes = ipBytes(ip);
  return macFromBytes(Uint8Array.of(0x02, family(ip) === 4 ? 0x42 : 0x43, ...bytes.slice(-4)));
}
