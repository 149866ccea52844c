import { type Intent, nothingToDo } from '../plan/intent.ts';
import { records } from '../store/records/index.ts';
import type { View } from '../store/view.ts';

/** Of the records as this version writes them. A higher one is for what an older version would get wrong, not for a field it may keep. */
export const schema = 1;

/** Whether the store has records that one who knows so much must not write beside. It may read them. */
export function isOutdated(view: Pick<View, 'cluster'>, known: number): boolean {
  return view.cluster !== undefined && view.cluster.schema > known;
}

/**
 * The store's records are of our schema from now on, once every manager that runs knows it: so one after the other is replaced by
 * a newer version, and the first new one does not put the others out of office.
 */
export function raiseSchema(known: number): Intent<void> {
  return {
    plan: ({ view, keys }) => {
      const { cluster } = view;
      if (cluster === undefined || !mayRaise(view, known)) return nothingToDo(undefined);
      const { id, epoch, revision, foreign } = cluster;
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
            value: records.meta.codec.encode({ clusterId: id, epoch, schema: known }, foreign),
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
