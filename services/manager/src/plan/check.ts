import type { NetworkId } from '@causeway/model';
import { claimsRepaired } from '../events/describe.ts';
import type { Keys } from '../store/keys.ts';
import type { Compare, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { addressSlots, addressSlotsOf } from './check-addresses.ts';
import { vniSlots } from './check-vnis.ts';
import type { Slot, Subject } from './claim-slot.ts';
import type { Intent } from './intent.ts';

export interface ClaimFault {
  readonly network: NetworkId;
  readonly subject: Subject;
  /** In words: the records that want the claim; for an orphan, the holder that the claim names. */
  readonly holders: readonly string[];
}

export interface Faults {
  /** Claims that more than one record wants. A repair cannot know which record is right. */
  readonly duplicates: readonly ClaimFault[];
  /** Claims whose record is gone. */
  readonly orphans: readonly ClaimFault[];
  /** Records without their claim. */
  readonly missing: readonly ClaimFault[];
}

/** Most faults that a caller repairs in one transaction, each with its record and its network. */
export const mostRepairs = 40;

/** Compares every claim with its record, and every record with its claims, at one revision. */
export function findFaults(view: View, keys: Keys): Faults {
  const faults: Record<keyof Faults, ClaimFault[]> = { duplicates: [], orphans: [], missing: [] };
  for (const slot of [...addressSlots(view, keys), ...vniSlots(view, keys)]) {
    const kind = judge(slot);
    if (kind !== 'right') faults[kind].push({ network: slot.network, subject: slot.subject, holders: holdersOf(slot) });
  }
  return faults;
}

/** A unique text for each subject. */
export function nameOf({ network, subject }: Pick<ClaimFault, 'network' | 'subject'>): string {
  return 'vni' in subject ? `VNI ${subject.vni}` : `${network} ${subject.address}`;
}

/**
 * Repairs these faults of one network, as far as they still exist when the repair is planned: deletes orphans and writes
 * missing claims. Replies with the number of repairs.
 */
export function repairClaims(network: NetworkId, faults: readonly Pick<ClaimFault, 'subject'>[]): Intent<number> {
  return {
    plan: ({ view, keys }) => {
      const chosen = new Set(faults.map(({ subject }) => nameOf({ network, subject })));
      const slots = [...addressSlotsOf(network, view, keys), ...vniSlots(view, keys)];
      const broken = slots.filter((slot) => chosen.has(nameOf(slot)) && ['orphans', 'missing'].includes(judge(slot)));
      const records = new Map(
        broken.flatMap(({ expected }) =>
          expected.flatMap(({ record }) => (record === undefined ? [] : [[record.key, record]])),
        ),
      );
      const owner = view.networks.get(network);
      if (owner !== undefined)
        records.set(keys.network(network), { key: keys.network(network), revision: owner.revision });
      return {
        compares: [
          ...Array.from(records.values(), ({ key, revision }): Compare => {
            return { kind: 'unchanged', key, modRevision: revision };
          }),
          ...broken.map(({ key, present }): Compare => {
            return present === undefined
              ? { kind: 'absent', key }
              : { kind: 'unchanged', key, modRevision: present.revision };
          }),
        ],
        writes: broken.map(({ key, expected: [holder] }): Write => {
          return holder === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: holder.value };
        }),
        takes: [],
        events: broken.length === 0 ? [] : [claimsRepaired(network, broken.map(printRepair), view)],
        reply: broken.length,
      };
    },
  };
}

function judge({ expected, present }: Slot): keyof Faults | 'right' {
  if (expected.length > 1) return 'duplicates';
  if (expected.length === 1) return present?.isExpected === true ? 'right' : 'missing';
  return present?.standsAlone === false ? 'orphans' : 'right';
}

function holdersOf({ expected, present }: Slot): readonly string[] {
  return expected.length === 0 && present !== undefined ? [present.words] : expected.map(({ words }) => words);
}

/** For example "10.66.0.2 given to endpoint "web"", "VNI 4096 taken from network 5f…". */
function printRepair({ subject, expected: [holder], present }: Slot): string {
  const what = 'vni' in subject ? `VNI ${subject.vni}` : subject.address;
  const from = present === undefined ? '' : ` taken from ${present.words}`;
  return `${what}${from}${holder === undefined ? '' : `${from === '' ? '' : ' and'} given to ${holder.words}`}`;
}
