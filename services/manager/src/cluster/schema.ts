import { type Intent, nothingToDo } from '../plan/intent.ts';
import { records } from '../store/records/index.ts';
import type { View } from '../store/view.ts';

/**
 * Schema of the records that this version writes. It rises for a change that an older version would get wrong, not for a
 * new field that an older version may keep.
 */
export const schema = 1;

/**
 * Whether the store has records of a newer schema than `known`. A manager that knows only `known` may then read the
 * store, but must not write.
 */
export function isOutdated(view: Pick<View, 'cluster'>, known: number): boolean {
  return view.cluster !== undefined && view.cluster.schema > known;
}

/**
 * Raises the store's schema to ours, once every running manager knows it. So managers can be replaced by a newer version
 * one after the other, and the first new one does not stop the others from leading.
 */
export function raiseSchema(known: number): Intent<void> {
  return {
    plan: ({ view, keys }) => {
      const { cluster } = view;
      if (cluster === undefined || !mayRaise(view, known)) return nothingToDo(undefined);
      const { id, epoch, revision, original } = cluster;
      return {
        ...nothingToDo(undefined),
        compares: [
          { kind: 'unchanged', key: keys.meta, modRevision: revision },
          { kind: 'quiet', prefix: keys.under('manager'), since: view.revision },
        ],
        writes: [
          {
            kind: 'put',
            key: keys.meta,
            value: records.meta.codec.encode({ clusterId: id, epoch, schema: known }, original),
          },
        ],
      };
    },
  };
}

export function mayRaise({ cluster, managers }: Pick<View, 'cluster' | 'managers'>, known: number): boolean {
  if (cluster === undefined || cluster.schema >= known) return false;
  return [...managers.values()].every((manager) => manager.schema >= known);
}
