import type { ManagerRecord } from '../store/records/manager.ts';
import type { Store } from '../store/store.ts';
import type { ViewChange } from '../store/view.ts';
import { managerGone, managerJoined } from './describe.ts';
import type { EventSink } from './event-sink.ts';

/**
 * Emits events for managers that come and go. A manager whose etcd member is gone too was removed; any other manager has
 * stopped or died.
 */
export function emitManagerEvents(
  changes: readonly ViewChange[],
  { sink, store }: { readonly sink: Pick<EventSink, 'emit'>; readonly store: Pick<Store, 'members'> },
): void {
  for (const change of changes) {
    if (change.kind !== 'manager') continue;
    const { before, after } = change;
    if (before === undefined && after !== undefined) sink.emit(managerJoined(after));
    if (before === undefined || after !== undefined) continue;
    wasRemoved(before, store).then(
      (removed) => sink.emit(managerGone(before, removed)),
      () => sink.emit(managerGone(before, false)),
    );
  }
}

async function wasRemoved({ etcdMember }: ManagerRecord, store: Pick<Store, 'members'>): Promise<boolean> {
  if (etcdMember === '') return false;
  return (await store.members()).every(({ name }) => name !== etcdMember);
}
