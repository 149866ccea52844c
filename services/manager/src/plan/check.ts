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
import { claimsRepaired } from '../events/describe.ts';
import { type Claim, type Claimed, encodeClaim, printClaim } from '../store/claim.ts';
import type { Keys } from '../store/keys.ts';
import type { Compare, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';
import type { Intent, Planning, Proposal } from './intent.ts';

export interface ClaimFault {
  readonly network: NetworkId;
  /** An address, or an Ethernet address that needs a claim of its own. */
  readonly address: Ip | Mac;
  /** In words: those that want it, or of an orphan the one that the claim names. */
  readonly holders: readonly string[];
}

export interface Faults<Fault = ClaimFault> {
  /** Wanted by more than one. No repair can say who is right. */
  readonly duplicates: readonly Fault[];
  /** Claims whose holder is gone. */
  readonly orphans: readonly Fault[];
  /** Holders without their claim. */
  readonly missing: readonly Fault[];
}

/** One transaction has room for these. */
export const mostRepairs = 40;

interface Wanted {
  readonly claim: Claim;
  readonly words: string;
}

/** A claim that is to be there, or is there, or both. */
interface Place {
  readonly address: Ip | Mac;
  readonly key: string;
  readonly wanted: readonly Wanted[];
  readonly claimed: Claimed | undefined;
  /** Its network is gone. */
  readonly isLost: boolean;
}

type Verdict = 'right' | 'duplicate' | 'orphan' | 'missing';

/** Compares every claim of an address with what should hold it and back, at one revision. */
export function findFaults(view: View, keys: Keys): Faults {
  const found = { duplicate: [] as ClaimFault[], orphan: [] as ClaimFault[], missing: [] as ClaimFault[] };
  for (const network of new Set([...view.networks.keys(), ...view.networksWithClaims()])) {
    for (const place of placesOf(network, view, keys)) {
      const verdict = judge(place);
      if (verdict !== 'right')
        found[verdict].push({ network, address: place.address, holders: holdersOf(place, verdict) });
    }
  }
  return { duplicates: found.duplicate, orphans: found.orphan, missing: found.missing };
}

/** Takes orphans away and puts missing claims there, of those addresses of a network and as they are when it is planned. */
export function repairClaims(network: NetworkId, addresses: readonly (Ip | Mac)[]): Intent<number> {
  return {
    plan: (planning) => {
      const chosen = new Set(addresses.slice(0, mostRepairs));
      const places = placesOf(network, planning.view, planning.keys).filter(({ address }) => chosen.has(address));
      return planRepair(network, places, planning);
    },
  };
}

function planRepair(network: NetworkId, places: readonly Place[], { view, keys }: Planning): Proposal<number> {
  const broken = places.filter((place) => ['orphan', 'missing'].includes(judge(place)));
  const record = view.networks.get(network);
  const holders = broken.flatMap(({ wanted }) => wanted.map(({ claim }) => claim));
  const endpoints = new Set(holders.flatMap((claim) => (claim.kind === 'endpoint' ? [claim.endpoint] : [])));
  return {
    compares: [
      ...(record === undefined
        ? []
        : [{ kind: 'unchanged', key: keys.network(network), modRevision: record.revision } as const]),
      ...[...endpoints].map((id): Compare => {
        return { kind: 'unchanged', key: keys.endpoint(network, id), modRevision: view.endpoint(id)?.revision ?? 0n };
      }),
      ...broken.map(({ key, claimed }): Compare => {
        return claimed === undefined
          ? { kind: 'absent', key }
          : { kind: 'unchanged', key, modRevision: claimed.revision };
      }),
    ],
    writes: broken.map(({ key, wanted: [holder] }): Write => {
      return holder === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: encodeClaim(holder.claim) };
    }),
    takes: [],
    events: broken.length === 0 ? [] : [claimsRepaired(network, broken.map(describe), view)],
    reply: broken.length,
  };
}

/** Reservations and what cools have no holder to compare with; they only need their network. */
function judge({ wanted, claimed, isLost }: Place): Verdict {
  if (wanted.length > 1) return 'duplicate';
  const [holder] = wanted;
  if (holder !== undefined) return claimed !== undefined && isOf(claimed.claim, holder.claim) ? 'right' : 'missing';
  return claimed === undefined || (standsAlone(claimed.claim) && !isLost) ? 'right' : 'orphan';
}

/** A repair in words. */
function describe({ address, wanted: [holder], claimed }: Place): string {
  const had = claimed === undefined ? 'nobody' : printClaim(claimed.claim);
  return `${address} of ${had} is ${holder === undefined ? 'nobody’s' : `that of ${holder.words}`}`;
}

function holdersOf({ wanted, claimed }: Place, verdict: Verdict): readonly string[] {
  if (verdict === 'orphan') return claimed === undefined ? [] : [printClaim(claimed.claim)];
  return wanted.map(({ words }) => words);
}

function isOf(claim: Claim, wanted: Claim): boolean {
  if (claim.kind === 'endpoint') return wanted.kind === 'endpoint' && claim.endpoint === wanted.endpoint;
  return claim.kind === wanted.kind && (claim.kind !== 'aux' || wanted.kind !== 'aux' || claim.name === wanted.name);
}

function standsAlone({ kind }: Claim): boolean {
  return kind === 'reservation' || kind === 'cooling' || kind === 'foreign';
}

function placesOf(id: NetworkId, view: View, keys: Keys): readonly Place[] {
  const network = view.networks.get(id)?.value;
  const wanted = new Map<Ip | Mac, Wanted[]>();
  const want = (address: Ip | Mac, holder: Wanted): void => {
    wanted.set(address, [...(wanted.get(address) ?? []), holder]);
  };
  if (network !== undefined) wantOfNetwork(network, want);
  for (const { value: endpoint } of view.endpointsOf(id).values()) wantOfEndpoint(endpoint, want);
  const claims = new Map<Ip | Mac, Claimed>([...view.addressesOf(id), ...view.macsOf(id)]);
  return Array.from(new Set([...wanted.keys(), ...claims.keys()]), (address) => {
    const place = { address, key: keyOf(id, address, keys), isLost: network === undefined };
    return { ...place, wanted: wanted.get(address) ?? [], claimed: claims.get(address) };
  });
}

function wantOfNetwork({ subnets }: Network, want: (address: Ip | Mac, holder: Wanted) => void): void {
  const gateways = subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const gateway: Wanted = { claim: { kind: 'gateway' }, words: 'gateway' };
  for (const ip of gateways) want(ip, gateway);
  for (const mac of new Set(gateways.filter((ip) => family(ip) === 6).map(macForIp))) want(mac, gateway);
  for (const { auxAddresses = {} } of subnets) {
    for (const [name, ip] of Object.entries(auxAddresses)) {
      const claim: Claim = { kind: 'aux', name };
      want(ip, { claim, words: printClaim(claim) });
    }
  }
}

function wantOfEndpoint(endpoint: Endpoint, want: (address: Ip | Mac, holder: Wanted) => void): void {
  const holder: Wanted = {
    claim: { kind: 'endpoint', endpoint: endpoint.id, asked: false },
    words: `endpoint "${endpoint.name}" (${endpoint.id})`,
  };
  const addresses = endpoint.addresses.map(addressOf);
  for (const ip of addresses) want(ip, holder);
  if (addresses.every((ip) => family(ip) === 6)) want(endpoint.mac, holder);
}

function keyOf(network: NetworkId, address: Ip | Mac, keys: Keys): string {
  return isMac(address) ? keys.mac(network, address) : keys.address(network, address);
}

/** An Ethernet address is six pairs of digits; no address of ours is written so. */
function isMac(address: Ip | Mac): address is Mac {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address);
}
