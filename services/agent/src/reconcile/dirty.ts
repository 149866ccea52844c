import { ChangeSet, type Changes } from '@causeway/datapath';

/** Where a scope's kernel may differ from what is wanted: nowhere, at the keys that the kernel named, or anywhere. */
export type Dirty = 'nothing' | 'everything' | Changes;

export function merged(a: Dirty, b: Dirty): Dirty {
  if (a === 'nothing' || b === 'everything') return b;
  if (b === 'nothing' || a === 'everything') return a;
  const all = new ChangeSet();
  all.include(a);
  all.include(b);
  return all;
}
