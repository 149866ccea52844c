import type { MessageReader } from '@causeway/netlink';
import { isOurReqid } from '../owner.ts';
import { readAddressesAt, viewOf } from './xfrm-bytes.ts';
import type { SaId } from './xfrm-state.ts';

/** Genuine packets of an SA come from another UDP port than the SA has. */
export interface Mapping extends SaId {
  readonly port: number;
}

/** struct xfrm_user_mapping: the SA, its reqid, both source addresses, both source ports. */
const userMapping = 64;
/** Offsets in it. */
const at = { dst: 0, spi: 16, family: 20, reqid: 24, oldSrc: 28, newSrc: 44, newPort: 62 } as const;

/**
 * undefined: the SA is not ours, or the packets come from another address. The selector of the SA drops those, until the record of
 * the peer has the new address.
 */
export function readMapping(message: MessageReader): Mapping | undefined {
  const bytes = message.slice(0, userMapping);
  const view = viewOf(bytes);
  const family = view.getUint16(at.family, true);
  const now = readAddressesAt(bytes, { src: at.newSrc, dst: at.dst }, family);
  const before = readAddressesAt(bytes, { src: at.oldSrc, dst: at.dst }, family);
  if (now === undefined || now.src !== before?.src || !isOurReqid(view.getUint32(at.reqid, true))) return undefined;
  return { dst: now.dst, spi: view.getUint32(at.spi), port: view.getUint16(at.newPort) };
}
