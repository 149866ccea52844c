import type { Network, NetworkId, Vni } from '@causeway/model';
import { claimsRepaired } from '../events/describe.ts';
import { vniClaim } from '../ipam/network-claims.ts';
import type { Write } from '../store/store.ts';
import type { Versioned, View } from '../store/view.ts';
import { type ClaimedVni, printVniClaim } from '../store/vni-claim.ts';
import type { Faults } from './check.ts';
import { type Intent, nothingToDo } from './intent.ts';

export interface VniFault {
  readonly vni: Vni;
  readonly network: NetworkId;
  /** In words: the networks that want it, or of an orphan the one that the claim names. */
  readonly holders: readonly string[];
}

/** A VNI that a network has, or that is claimed, or both. */
interface Place {
  readonly vni: Vni;
  readonly wanted: readonly Versioned<Network>[];
  readonly claimed: ClaimedVni | undefined;
}

interface Finding {
  readonly kind: keyof Faults;
  readonly fault: VniFault;
}

/** Compares every claim of a VNI with the network that should hold it and back, at one revision. */
export function findVniFaults(view: View): Faults<VniFault> {
  const found = { duplicates: [] as VniFault[], orphans: [] as VniFault[], missing: [] as VniFault[] };
  for (const place of placesOf(view)) {
    const finding = judge(place);
    if (finding !== undefined) found[finding.kind].push(finding.fault);
  }
  return found;
}

/** Takes an orphan away or puts a missing claim there, as it is when it is planned. */
export function repairVni(vni: Vni): Intent<void> {
  return {
    plan: ({ view, keys }) => {
      const place = placesOf(view).find((candidate) => candidate.vni === vni);
      const finding = place === undefined ? undefined : judge(place);
      if (place === undefined || finding === undefined || finding.kind === 'duplicates') return nothingToDo(undefined);
      const [network] = place.wanted;
      const words = network === undefined ? `VNI ${vni} is nobody’s` : `VNI ${vni} is that of ${network.value.name}`;
      const key = keys.vni(vni);
      const write: Write =
        network === undefined ? { kind: 'delete', key } : { kind: 'put', ...vniClaim(network.value, keys, false) };
      return {
        compares: [
          { kind: 'unchanged', key, modRevision: place.claimed?.revision ?? 0n },
          ...place.wanted.map(({ value, revision }) => {
            return { kind: 'unchanged', key: keys.network(value.id), modRevision: revision } as const;
          }),
        ],
        writes: [write],
        takes: [],
        events: [claimsRepaired(finding.fault.network, [words], view)],
        reply: undefined,
      };
    },
  };
}

/** What cools, and what only a later version knows, has no holder to compare with. */
function judge({ vni, wanted, claimed }: Place): Finding | undefined {
  const [network, rival] = wanted;
  const claim = claimed?.claim;
  const holder = claim?.kind === 'network' ? claim.network : undefined;
  if (network === undefined) {
    if (claim === undefined || holder === undefined) return undefined;
    return { kind: 'orphans', fault: { vni, network: holder, holders: [printVniClaim(claim)] } };
  }
  if (rival === undefined && holder === network.value.id) return undefined;
  const holders = wanted.map(({ value: { name, id } }) => `network "${name}" (${id})`);
  const fault = { vni, network: network.value.id, holders };
  return { kind: rival === undefined ? 'missing' : 'duplicates', fault };
}

function placesOf({ networks, vnis }: View): readonly Place[] {
  const wanted = new Map<Vni, Versioned<Network>[]>();
  for (const network of networks.values()) {
    const { vni } = network.value;
    wanted.set(vni, [...(wanted.get(vni) ?? []), network]);
  }
  return Array.from(new Set([...wanted.keys(), ...vnis.keys()]), (vni) => {
    return { vni, wanted: wanted.get(vni) ?? [], claimed: vnis.get(vni) };
  });
}
