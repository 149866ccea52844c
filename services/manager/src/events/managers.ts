import type { ManagerRecord } from '../store/codec.ts';
import type { Store } from '../store/store.ts';
import type { ViewChange } from '../store/view.ts';
import { managerGone, managerJoined } from './describe.ts';
import type { Teller } from './event-sink.ts';

/** Tells which managers come and go. A record that goes was removed when its etcd member is gone too, else it stopped or died. */
export function tellOfManagers(
  changes: readonly ViewChange[],
  { teller, store }: { readonly teller: Pick<Teller, 'tell'>; readonly store: Pick<Store, 'members'> },
): void {
  for (const change of changes) {
    if (change.kind !== 'manager') continue;
    const { before, after } = change;
    if (before === undefined && after !== undefined) teller.tell(managerJoined(after));
    if (before === undefined || after !== undefined) continue;
    wasRemoved(before, store).then(
      (removed) => teller.tell(managerGone(before, removed)),
      () => teller.tell(managerGone(before, false)),
    );
  }
}

async function wasRemoved({ etcdMember }: ManagerRecord, store: Pick<Store, 'members'>): Promise<boolean> {
  if (etcdMember === '') return false;
  return (await store.members()).every(({ name }) => name !== etcdMember);
}
