import type { EndpointId, NodeId } from '@causeway/model';
import { endpointOrphaned } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import type { Write } from '../store/store.ts';
import { type Intent, nothingToDo } from './intent.ts';
import { releaseByManager } from './release-endpoint.ts';

/** Most silences that are recorded in one transaction. */
export const mostSilences = 50;

interface SilenceChanges {
  /** `since`: ms on the clock that runs only while a manager leads; absent: the host is not silent any more. */
  readonly changes: readonly { readonly node: NodeId; readonly since?: number }[];
  /** That clock's present value, ms. It is stored too, so that the clock never falls behind these times. */
  readonly ledTime: number;
}

/**
 * Records since when hosts are silent, and how long managers have led. Only the leader writes these keys, so there is
 * nothing to compare.
 */
export function recordSilences({ changes, ledTime }: SilenceChanges): Intent<void> {
  return {
    plan: ({ keys }) => ({
      compares: [],
      writes: [
        { kind: 'put', key: keys.ledTime, value: records.ledTime.codec.encode({ milliseconds: ledTime }) },
        ...changes.map(({ node, since }): Write => {
          const key = keys.nodeSilent(node);
          return since === undefined
            ? { kind: 'delete', key }
            : { kind: 'put', key, value: records.nodeSilent.codec.encode({ since }) };
        }),
      ],
      takes: [],
      events: [],
      reply: undefined,
    }),
  };
}

/** Releases an endpoint if it still exists and its host is still gone when this is planned. The event says why. */
export function releaseOrphan(id: EndpointId, why: string, isStillGone: () => boolean): Intent<void> {
  const release = releaseByManager(id, (endpoint, view) => endpointOrphaned(endpoint, view, why));
  return { plan: (planning) => (isStillGone() ? release.plan(planning) : nothingToDo(undefined)) };
}
