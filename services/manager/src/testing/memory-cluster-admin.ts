import type { Clock } from '@causeway/runtime';
import { Steward } from '../api/cluster-admin.ts';
import { createChecksum } from '../io/etcd-server/checksum.ts';
import type { Manager } from '../manager.ts';
import { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

/** The steward of a manager on a store that has neither members nor snapshots. */
export function memorySteward(
  { manager, store, clock }: { readonly manager: Manager; readonly store: Store; readonly clock: Clock },
  { name, advertise, prefix }: { readonly name: string; readonly advertise: string; readonly prefix: string },
): Steward {
  const keys = new Keys(prefix);
  const self = { name, address: advertise, version: '0.0.0' };
  return new Steward({ store, view: manager.view, keys, clock, createChecksum }, self);
}
