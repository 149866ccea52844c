import {
  claimsOfEndpoint,
  claimsOfNetwork,
  type EndpointRecord,
  keysOf,
  keysOfNetwork,
  type NetworkRecord,
} from './records.ts';

/** A record that owns things which no other record may have. */
export type Holder =
  | { readonly kind: 'endpoint'; readonly id: string; readonly record: EndpointRecord }
  | { readonly kind: 'network'; readonly id: string; readonly record: NetworkRecord };

/** Keys of the store that must contain the record's id. */
export function claimsOf({ kind, record }: Holder): readonly string[] {
  return kind === 'endpoint' ? claimsOfEndpoint(record) : claimsOfNetwork(record);
}

/** All things that only this record may have. A MAC that is derived from an IPv4 address has no key of its own. */
export function thingsOf(holder: Holder): readonly string[] {
  const { kind, record } = holder;
  return kind === 'endpoint' ? [...claimsOf(holder), `mac/${record.network}/${record.mac}`] : claimsOf(holder);
}

/** The claims that must cool after the record is removed, because hosts may still know them. */
export function coolsOf(holder: Holder): readonly string[] {
  return claimsOf(holder).filter((key) => key.startsWith('addr/') || key.startsWith('vni/'));
}

/** What the record has, in the form of journals. */
export function heldOf({ kind, record }: Holder): readonly string[] {
  return kind === 'endpoint' ? keysOf(record) : keysOfNetwork(record);
}

export function needsClaim(thing: string): boolean {
  return !thing.startsWith('mac/');
}
