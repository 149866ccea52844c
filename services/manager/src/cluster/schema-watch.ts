import type { Log } from '@causeway/runtime';
import type { View } from '../store/view.ts';
import { isOutdated } from './schema.ts';

/**
 * Logs, once for each change, whether this version is too old for the store's records. Returns a function that ends the
 * watch.
 */
export function watchSchema(view: Pick<View, 'cluster' | 'subscribe'>, log: Log, known: number): () => void {
  let was = false;
  const look = (): void => {
    const outdated = isOutdated(view, known);
    if (outdated === was) return;
    was = outdated;
    if (outdated) log.error('manager.outdated', { schema: view.cluster?.schema, known });
    else log.info('manager.up-to-date', { schema: view.cluster?.schema, known });
  };
  look();
  return view.subscribe((changes) => {
    if (changes.some(({ kind }) => kind === 'cluster' || kind === 'reset')) look();
  });
}
