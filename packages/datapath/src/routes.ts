import { overlaps, Prefix } from '@causeway/model';

/** Link-local and multicast prefixes, which every link has: RFC 3927, RFC 4291 §2.5.6 and §2.7. */
const linkLocal = [Prefix('169.254.0.0/16'), Prefix('fe80::/10'), Prefix('ff00::/8')];

/** Whether the host reports a route to this destination. Not those that lead to link-local addresses, as default routes do. */
export function isReported(destination: Prefix): boolean {
  return !linkLocal.some((prefix) => overlaps(prefix, destination));
}
