import { Ip, Prefix } from '@causeway/model';
import type { XfrmPolicy } from '../kinds/xfrm-policy.ts';
import type { XfrmState } from '../kinds/xfrm-state.ts';
import { ourPriority, ourReqid } from '../owner.ts';
import { SaKey, saKeySize } from '../wire/sa-key.ts';

/** The port of encrypted VXLAN. */
export const encryptedPort = 4793;

export const ends = {
  4: { here: Ip('192.0.2.1'), there: Ip('192.0.2.2'), any: Prefix('0.0.0.0/0'), width: 32 },
  6: { here: Ip('2001:db8::1'), there: Ip('2001:db8::2'), any: Prefix('::/0'), width: 128 },
} as const;

/** A key of bytes that count up from the seed. */
export function saKey(seed = 0): SaKey {
  return SaKey.of(Uint8Array.from({ length: saKeySize }, (_, n) => (seed + n) & 255));
}

/** An SA from `src` to `dst`, by default one that receives. */
export function state(over: Partial<XfrmState> = {}): XfrmState {
  const { here, there } = ends[4];
  return {
    direction: 'in',
    ...{ src: there, dst: here, spi: 0x1100_0002, reqid: ourReqid },
    ...{ key: saKey(), limits: {}, isStrict: true },
    ...over,
  };
}

/** Blocks all encrypted VXLAN of a family, in one direction. */
export function block(direction: XfrmPolicy['direction'], family: 4 | 6 = 4): XfrmPolicy {
  const { any } = ends[family];
  const selector = { src: any, dst: any, dport: encryptedPort };
  return { direction, selector, priority: ourPriority.block, action: { kind: 'block' } };
}

/** Demands ESP from `src` to `dst`. */
export function demand(
  direction: XfrmPolicy['direction'],
  src: Ip,
  dst: Ip,
  over: { readonly spi?: number; readonly reqid?: number; readonly priority?: number } = {},
): XfrmPolicy {
  const { spi, reqid = ourReqid, priority = ourPriority.pair } = over;
  const width = src.includes(':') ? 128 : 32;
  const selector = { src: Prefix(`${src}/${width}`), dst: Prefix(`${dst}/${width}`), dport: encryptedPort };
  const action = { kind: 'esp', src, dst, reqid, ...(spi !== undefined && { spi }) } as const;
  return { direction, selector, priority, action };
}
