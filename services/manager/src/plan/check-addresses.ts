import {
  addressOf,
  type Endpoint,
  family,
  type Ip,
  type Mac,
  macForIp,
  type Network,
  type NetworkId,
} from '@causeway/model';
import type { Keys } from '../store/keys.ts';
import { type Claim, type Claimed, printClaim } from '../store/records/claim.ts';
import { records } from '../store/records/index.ts';
import type { Versioned, View } from '../store/view.ts';
import type { Expected, Slot } from './claim-slot.ts';

interface Holder {
  readonly claim: Claim;
  readonly words: string;
  readonly record?: Expected['record'];
}

type Want = (address: Ip | Mac, holder: Holder) => void;

/** Slots of every network, also of deleted networks that left claims behind. */
export function addressSlots(view: View, keys: Keys): readonly Slot[] {
  const networks = new Set([...view.networks.keys(), ...view.networksWithClaims()]);
  return [...networks].flatMap((network) => addressSlotsOf(network, view, keys));
}

export function addressSlotsOf(network: NetworkId, view: View, keys: Keys): readonly Slot[] {
  const record = view.networks.get(network)?.value;
  const expected = new Map<Ip | Mac, Holder[]>();
  const want: Want = (address, holder) => {
    expected.set(address, [...(expected.get(address) ?? []), holder]);
  };
  if (record !== undefined) wantOfNetwork(record, want);
  for (const endpoint of view.endpointsOf(network).values()) wantOfEndpoint(endpoint, keys, want);
  const claims = new Map<Ip | Mac, Claimed>([...view.addressesOf(network), ...view.macsOf(network)]);
  return Array.from(new Set([...expected.keys(), ...claims.keys()]), (address) => {
    const holders = expected.get(address) ?? [];
    return {
      key: isMac(address) ? keys.mac(network, address) : keys.address(network, address),
      subject: { address },
      network,
      expected: holders.map(({ claim, words, record }) => {
        return { words, value: records.address.codec.encode(claim), ...(record !== undefined && { record }) };
      }),
      present: presentOf(claims.get(address), holders, record === undefined),
    };
  });
}

/** Reservations and cooling claims have no record to compare with. They only need their network. */
function presentOf(claimed: Claimed | undefined, [holder]: readonly Holder[], isNetworkGone: boolean): Slot['present'] {
  if (claimed === undefined) return undefined;
  const { claim, revision } = claimed;
  const isAlone = claim.kind === 'reservation' || claim.kind === 'cooling' || claim.kind === 'unknown';
  return {
    words: printClaim(claim),
    revision,
    isExpected: holder !== undefined && isOf(claim, holder.claim),
    standsAlone: isAlone && !isNetworkGone,
  };
}

function isOf(claim: Claim, expected: Claim): boolean {
  if (claim.kind === 'endpoint') return expected.kind === 'endpoint' && claim.endpoint === expected.endpoint;
  return (
    claim.kind === expected.kind && (claim.kind !== 'aux' || expected.kind !== 'aux' || claim.name === expected.name)
  );
}

function wantOfNetwork({ subnets }: Network, want: Want): void {
  const gateways = subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const gateway: Holder = { claim: { kind: 'gateway' }, words: 'gateway' };
  for (const ip of gateways) want(ip, gateway);
  for (const mac of new Set(gateways.filter((ip) => family(ip) === 6).map(macForIp))) want(mac, gateway);
  for (const { auxAddresses = {} } of subnets) {
    for (const [name, ip] of Object.entries(auxAddresses)) {
      const claim: Claim = { kind: 'aux', name };
      want(ip, { claim, words: printClaim(claim) });
    }
  }
}

function wantOfEndpoint({ value, revision }: Versioned<Endpoint>, keys: Keys, want: Want): void {
  const { id, name, network, mac } = value;
  const holder: Holder = {
    claim: { kind: 'endpoint', endpoint: id, asked: false },
    words: `endpoint "${name}" (${id})`,
    record: { key: keys.endpoint(network, id), revision },
  };
  const addresses = value.addresses.map(addressOf);
  for (const ip of addresses) want(ip, holder);
  if (addresses.every((ip) => family(ip) === 6)) want(mac, holder);
}

/** A MAC address is six pairs of hex digits. No IP address here is written in this form. */
function isMac(address: Ip | Mac): address is Mac {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address);
}
