import { longestLife } from '@causeway/identity';
import { type Duration, milliseconds } from '@causeway/runtime';
import { records } from '../store/records/index.ts';
import type { Compare, Write } from '../store/store.ts';
import type { Planning } from './intent.ts';
import { type Member, refusedOf } from './issued.ts';

/**
 * Puts a member out of the cluster: every certificate that it has now is refused by all managers. To come back, it must join
 * again. `reason`: for people, with the member's name. `keep`: how long the record is kept at least, so that the member is told
 * that it was removed when it comes back, and not only that its certificate has expired.
 */
export function expel(
  { role, id }: Member,
  reason: string,
  { view, keys, clock }: Pick<Planning, 'view' | 'keys' | 'clock'>,
  keep: Duration = milliseconds(0),
): { readonly compares: readonly Compare[]; readonly writes: readonly Write[] } {
  const key = keys.certificate(role, id);
  const present = view.records('certificate').get({ role, id });
  const now = Math.trunc(clock.wall());
  // The latest certificate may be from a leader whose clock was ahead of this manager's.
  const at = Math.max(now, present?.value.issued ?? 0);
  const refused = refusedOf({ role, id }, { view });
  const knownCa = role === 'manager' ? { knownCa: view.ca?.value.generation ?? 0 } : {};
  // An earlier certificate may be valid for longer than the present one: from before the life was lowered, or before a restore.
  const until = Math.max(refused.until, now + longestLife, now + keep);
  const value = records.removed.codec.encode({ role, id, at, reason, ...knownCa, ...refused, until });
  return {
    compares: [
      present === undefined ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: present.revision },
    ],
    writes: [
      { kind: 'put', key: keys.removed(role, id), value },
      ...(present === undefined ? [] : [{ kind: 'delete', key } as const]),
    ],
  };
}
