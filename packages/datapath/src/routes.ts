import { lengthOf, overlaps, Prefix } from '@causeway/model';

/** On every link, and of one link each: RFC 3927, RFC 4291 §2.5.6 and §2.7. */
const linkLocal = [Prefix('169.254.0.0/16'), Prefix('fe80::/10'), Prefix('ff00::/8')];

/** Whether a route of the host says where something is: a default route says "elsewhere". */
export function isToldOf(destination: Prefix): boolean {
  return lengthOf(destination) > 0 && !linkLocal.some((prefix) => overlaps(prefix, destination));
}
