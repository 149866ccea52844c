import {
  claimsOfEndpoint,
  claimsOfNetwork,
  type EndpointRecord,
  keysOf,
  keysOfNetwork,
  type NetworkRecord,
} from './records.ts';

/** A record of the store that has things no other may have. */
export type Holder =
  | { readonly kind: 'endpoint'; readonly id: string; readonly record: EndpointRecord }
  | { readonly kind: 'network'; readonly id: string; readonly record: NetworkRecord };

/** Keys of the store that must name it. */
export function claimsOf({ kind, record }: Holder): readonly string[] {
  return kind === 'endpoint' ? claimsOfEndpoint(record) : claimsOfNetwork(record);
}

/** All that it alone has. An Ethernet address that comes from an IPv4 address has no key of its own. */
export function thingsOf(holder: Holder): readonly string[] {
  const { kind, record } = holder;
  return kind === 'endpoint' ? [...claimsOf(holder), `mac/${record.network}/${record.mac}`] : claimsOf(holder);
}

/** Which of its claims are to cool when it goes: hosts may know of it for a while. */
export function coolsOf(holder: Holder): readonly string[] {
  return claimsOf(holder).filter((key) => key.startsWith('addr/') || key.startsWith('vni/'));
}

/** As journals name what it has. */
export function heldOf({ kind, record }: Holder): readonly string[] {
  return kind === 'endpoint' ? keysOf(record) : keysOfNetwork(record);
}

export function needsClaim(thing: string): boolean {
  return !thing.startsWith('mac/');
}
